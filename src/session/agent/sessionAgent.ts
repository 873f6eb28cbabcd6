import { shortId } from '../../base/ids.ts';
import type { Usage } from '../../protocol/model.ts';
import type { AgentProcess, StopReason } from './agentProcess.ts';
import { startHostedAgent, type HostedAgent, type HostedAgentOptions } from './hostedAgent.ts';

interface Options extends Omit<HostedAgentOptions, 'history' | 'usage'> {
  /** The session's, for the log. */
  readonly id: string;
  /** What the conversation used so far. */
  readonly usage: () => Usage;
}

/** The agent of one session: started when it is first needed, and a fresh one when it is gone. */
export class SessionAgent {
  #agent: HostedAgent | undefined;

  constructor(private readonly options: Options) {}

  /** Starts it, with the conversation so far, unless it is there. Rejects with a CordonError. */
  async ready(history: HostedAgentOptions['history'], signal: AbortSignal): Promise<AgentProcess> {
    return (this.#agent ??= await this.#start(history, signal)).process;
  }

  /** Asks it to stop what it does; nothing when there is none. */
  cancel(): void {
    this.#agent?.process.cancel();
  }

  tellUnsaved(paths: readonly string[]): void {
    this.#agent?.process.tellUnsaved(paths);
  }

  /** After a stop: an agent that does not answer soon is ended, so that it cannot go on unseen. */
  async quieten(answer: Promise<StopReason>): Promise<void> {
    const agent = this.#agent;
    const patience = new Promise<'late'>(resolve => setTimeout(resolve, cancelTime, 'late'));
    const result = await Promise.race([answer.catch(() => 'gone' as const), patience]);
    if (result !== 'late' || agent === undefined) return;
    this.options.log.warn(
      `Session ${shortId(this.options.id)}: the agent did not answer the stop and was ended.`,
    );
    this.#forget(agent);
    await agent.end();
  }

  async end(): Promise<void> {
    const agent = this.#agent;
    if (!agent) return;
    this.#forget(agent);
    await agent.end();
  }

  async #start(history: HostedAgentOptions['history'], signal: AbortSignal): Promise<HostedAgent> {
    const { usage } = this.options;
    const agent: HostedAgent = await startHostedAgent(
      { ...this.options, history, usage: usage(), onGone: () => this.#forget(agent) },
      signal,
    );
    return agent;
  }

  /** The next prompt starts a fresh one with the conversation so far. */
  #forget(agent: HostedAgent): void {
    if (this.#agent !== agent) return;
    this.#agent = undefined;
    this.options.onGone();
  }
}

/** Milliseconds that an agent has to answer a stop. The user does not wait for it: the turn is over at once. */
const cancelTime = 1_000;
