import type { AgentRequests } from './agentProcess.ts';
import { denialError, deniedByPolicy } from '../consent/denial.ts';
import type { FileReading } from '../files/fileReading.ts';
import type { FileChanges } from '../files/fileChanges.ts';
import type { Questions } from '../consent/questions.ts';
import type { Terminals } from '../commands/terminals.ts';
import type { Turn } from '../turn.ts';

interface Options {
  /** The turn that runs, if one does. */
  readonly turn: () => Turn | undefined;
  readonly terminals: Terminals;
  readonly files: FileChanges;
  readonly reading: FileReading;
  readonly questions: Questions;
  /** False where nobody is there to answer. */
  readonly canAsk: boolean;
}

/** What the agent may ask for, bound to the turn that runs: outside of one nobody asked for anything, so nothing is done. */
export function agentRequests({
  turn,
  terminals,
  files,
  reading,
  questions,
  canAsk,
}: Options): AgentRequests {
  const within = <T>(
    signal: AbortSignal,
    work: (current: Turn, both: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const current = turn();
    if (!current || current.signal.aborted)
      throw denialError(deniedByPolicy('It was not done: no turn is running.'));
    return work(current, AbortSignal.any([signal, current.signal]));
  };
  return {
    update: update => {
      const current = turn();
      if (current && !current.isStopped) current.updates.apply(update);
    },
    createTerminal: (request, signal) =>
      within(signal, (current, both) => terminals.create(request, current, both)),
    terminalOutput: id => terminals.output(id),
    waitForExit: id => terminals.waitForExit(id),
    killTerminal: id => terminals.kill(id),
    releaseTerminal: id => terminals.release(id),
    readFile: (request, signal) => within(signal, (current, both) => reading.read(request, current, both)),
    writeFile: (request, signal) => within(signal, (current, both) => files.write(request, current, both)),
    deleteFile: (request, signal) => within(signal, (current, both) => files.delete(request, current, both)),
    askUser: async ({ message, requestedSchema }, signal) => {
      if (!canAsk) return null;
      const { answer } = requestedSchema.properties;
      const options = answer.enum ?? answer.oneOf?.map(option => option.const) ?? [];
      return await within(signal, (_, both) => questions.ask(message, options, both));
    },
  };
}
