import {
  type AgentContext,
  type CreateTerminalRequest,
  methods,
  RequestError,
  type SessionUpdate,
  type TerminalExitStatus,
} from '@agentclientprotocol/sdk';
import * as z from 'zod';
import {
  DeniedData,
  deleteFileMethod,
  type DeleteFileRequest,
  ReadAnswerMeta,
  type ReadMeta,
  rpcErrors,
  type TerminalMeta,
  type WriteMeta,
} from '../../src/protocol/agent.ts';

/** What the broker made of a request that has an effect. Only `done` means that it happened. */
export type Outcome<T = undefined> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'denied'; readonly by: DeniedData['by']; readonly reason: string }
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export type Answer = { readonly kind: 'answered'; readonly text: string } | { readonly kind: 'declined' };

export interface TerminalOutput {
  /** The end of the output, when it was too long to keep. */
  readonly text: string;
  readonly isTruncated: boolean;
}

/** `disk`: the newest text is on disk, where the agent sees it, and `content` is empty. */
export interface BrokerText extends ReadAnswerMeta {
  readonly content: string;
}

/** Everything the agent cannot do by itself. Each wait ends at once when the signal aborts, with its reason. */
export interface Broker {
  update(update: SessionUpdate): Promise<void>;
  /** What only the broker sees: text that is not saved, and what lies outside of the workspace. */
  readFile(path: string, meta: ReadMeta, signal: AbortSignal): Promise<Outcome<BrokerText>>;
  writeFile(path: string, content: string, meta: WriteMeta, signal: AbortSignal): Promise<Outcome>;
  deleteFile(request: Omit<DeleteFileRequest, 'sessionId'>, signal: AbortSignal): Promise<Outcome>;
  /** Starts a shell line; `done` carries the terminal's id. */
  startCommand(
    command: string,
    cwd: string,
    meta: TerminalMeta,
    signal: AbortSignal,
  ): Promise<Outcome<string>>;
  waitForExit(terminalId: string, signal: AbortSignal): Promise<TerminalExitStatus>;
  output(terminalId: string, signal: AbortSignal): Promise<TerminalOutput>;
  kill(terminalId: string): Promise<void>;
  release(terminalId: string): Promise<void>;
  ask(question: string, options: readonly string[], toolCallId: string, signal: AbortSignal): Promise<Answer>;
}

/** Output that the broker keeps for the agent of each command, in bytes. */
const outputByteLimit = 1_000_000;

/** Text of a file as JSON, in bytes: well below what the broker takes as one message. */
const maxWrite = 12_000_000;

export function openBroker(client: AgentContext, sessionId: string): Broker {
  const options = (signal: AbortSignal) => ({ cancellationSignal: signal, stopWaitingOnCancel: true });
  return {
    update: update => client.notify(methods.client.session.update, { sessionId, update }),
    readFile: (path, meta, signal) =>
      outcome(signal, async () => {
        const answer = await client.request(
          methods.client.fs.readTextFile,
          { sessionId, path, _meta: { cordon: meta } },
          options(signal),
        );
        const { _meta: extension } = answer;
        return { content: answer.content, ...ReadAnswerMeta.parse(extension?.['cordon']) };
      }),
    async writeFile(path, content, meta, signal) {
      if (Buffer.byteLength(JSON.stringify(content)) > maxWrite)
        return { kind: 'failed', message: 'The text is too large to be written at once.' };
      return await outcome(signal, async () => {
        await client.request(
          methods.client.fs.writeTextFile,
          { sessionId, path, content, _meta: { cordon: meta } },
          options(signal),
        );
        return undefined;
      });
    },
    deleteFile: (request, signal) =>
      outcome(signal, async () => {
        await client.request(deleteFileMethod, { ...request, sessionId }, options(signal));
        return undefined;
      }),
    startCommand: (command, cwd, meta, signal) =>
      outcome(signal, async () => {
        const request: CreateTerminalRequest = {
          sessionId,
          command,
          cwd,
          outputByteLimit,
          _meta: { cordon: meta },
        };
        // Waited for beyond a stop, so that a command which was allowed in that very moment can be taken back.
        const started = client.request(methods.client.terminal.create, request, {
          cancellationSignal: signal,
        });
        const { terminalId } = await orAbort(started, signal, late => {
          client
            .request(methods.client.terminal.release, { sessionId, terminalId: late.terminalId })
            .catch(ignore);
        });
        return terminalId;
      }),
    waitForExit: async (terminalId, signal) =>
      await ended(
        signal,
        client.request(methods.client.terminal.waitForExit, { sessionId, terminalId }, options(signal)),
      ),
    async output(terminalId, signal) {
      const given = await ended(
        signal,
        client.request(methods.client.terminal.output, { sessionId, terminalId }, options(signal)),
      );
      return { text: given.output, isTruncated: given.truncated };
    },
    async kill(terminalId) {
      await client.request(methods.client.terminal.kill, { sessionId, terminalId });
    },
    async release(terminalId) {
      await client.request(methods.client.terminal.release, { sessionId, terminalId });
    },
    async ask(question, choices, toolCallId, signal) {
      const answer = {
        type: 'string' as const,
        title: 'Answer',
        ...(choices.length > 0 ? { enum: [...choices] } : {}),
      };
      const response = await ended(
        signal,
        client.request(
          methods.client.elicitation.create,
          {
            sessionId,
            toolCallId,
            mode: 'form',
            message: question,
            requestedSchema: { type: 'object', properties: { answer }, required: ['answer'] },
          },
          options(signal),
        ),
      );
      const accepted = Accepted.safeParse(response);
      return accepted.success
        ? { kind: 'answered', text: accepted.data.content.answer }
        : { kind: 'declined' };
    },
  };
}

const Accepted = z.object({ action: z.literal('accept'), content: z.object({ answer: z.string() }) });

const ignore = () => {};

/** Turns the broker's refusals into results. Anything unclear counts as not done. */
async function outcome<T>(signal: AbortSignal, request: () => Promise<T>): Promise<Outcome<T>> {
  signal.throwIfAborted();
  try {
    return { kind: 'done', value: await request() };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RequestError)) throw error;
    if (error.code === rpcErrors.denied) {
      const data = DeniedData.safeParse(error.data);
      return data.success
        ? { kind: 'denied', ...data.data }
        : { kind: 'denied', by: 'policy', reason: error.message };
    }
    return { kind: error.code === rpcErrors.conflict ? 'conflict' : 'failed', message: error.message };
  }
}

/** Rejects with the signal's own reason when it aborted, whatever the library made of it. */
async function ended<T>(signal: AbortSignal, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Like `ended` for something that must be taken back if it is granted after nobody waits for it any more. */
async function orAbort<T>(request: Promise<T>, signal: AbortSignal, takeBack: (late: T) => void): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason as Error);
      request.then(takeBack, ignore);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    request.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
