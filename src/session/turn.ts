import type { ToolCalls } from './toolCalls.ts';

/** From a prompt to its end: what the agent does outside of one is not done. */
export interface Turn {
  readonly id: string;
  /** Aborts when the turn ends, however it ends. */
  readonly signal: AbortSignal;
  readonly calls: ToolCalls;
}
