import { randomId } from '../base/ids.ts';
import type { ChangedFiles } from '../protocol/transcript.ts';
import { ToolCalls } from './transcript/toolCalls.ts';
import type { Transcript } from './transcript/transcript.ts';
import { Updates } from './transcript/updates.ts';

/** From a prompt to its end: what the agent asks for outside of one is not done. */
export interface Turn {
  readonly id: string;
  /** Aborts when the turn ends, however it ends. */
  readonly signal: AbortSignal;
  readonly calls: ToolCalls;
  readonly updates: Updates;
  /** The user, or the clock, said stop: what the agent still says is not shown. */
  readonly isStopped: boolean;
}

/** The turn as the session drives it. */
export interface RunningTurn extends Turn {
  readonly controller: AbortController;
  isStopped: boolean;
  /** It was the clock. */
  isOutOfTime: boolean;
  /** A problem of the model's was already told in full. */
  isExplained: boolean;
  /** Tells what the turn changed, where there is a copy of the workspace. */
  changed: (() => Promise<ChangedFiles | undefined>) | undefined;
  readonly ended: Promise<void>;
  readonly markEnded: () => void;
}

export function beginTurn(transcript: Transcript): RunningTurn {
  const id = randomId().slice(0, 12);
  const controller = new AbortController();
  const calls = new ToolCalls(transcript, id);
  const { promise: ended, resolve: markEnded } = Promise.withResolvers<void>();
  return {
    id,
    controller,
    signal: controller.signal,
    calls,
    updates: new Updates(transcript, calls),
    isStopped: false,
    isOutOfTime: false,
    isExplained: false,
    changed: undefined,
    ended,
    markEnded,
  };
}
