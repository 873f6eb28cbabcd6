import { CordonError, messageOf } from '../../base/errors.ts';
import { randomId } from '../../base/ids.ts';
import type { GatewayEvent } from '../../gateway/gateway.ts';
import type { Transcript } from './transcript.ts';
import type { RunningTurn } from '../turn.ts';

/** Says in the conversation what happened to it: warnings, and what ended a turn. */
export class Notices {
  constructor(private readonly transcript: Transcript) {}

  /** A notice with the same `id` is replaced. */
  tell(level: 'info' | 'warning' | 'error', code: string, text: string, id = randomId()): void {
    this.transcript.put({ id, at: Date.now(), kind: 'notice', level, code, text });
    this.transcript.flush();
  }

  /** A problem of the model's, which ends the turn or, with `retryAfter` in seconds, holds it up. */
  problem(
    turn: RunningTurn | undefined,
    { code, message, remedy, retryAfter }: Extract<GatewayEvent, { kind: 'problem' }>,
  ): void {
    if (!turn || turn.isStopped) return;
    if (retryAfter === undefined) turn.isExplained = true;
    const text =
      retryAfter === undefined
        ? `${message} ${remedy}`
        : `${message} Trying again in ${Math.ceil(retryAfter)} s.`;
    // One place for one problem, however often it comes back in this turn.
    this.tell(retryAfter === undefined ? 'error' : 'warning', code, text, `${turn.id}.${code}`);
  }

  /** What made the turn fail. */
  failure(turn: RunningTurn, error: unknown): void {
    const isOwn = error instanceof CordonError;
    // The agent reports a model's failure in its SDK's words; the gateway has said it better.
    if (turn.isExplained && !isOwn) return;
    this.tell('error', isOwn ? error.code : 'agent.failed', messageOf(error).slice(0, 4_000));
  }
}
