import { messageOf } from '../../base/errors.ts';
import type { GatewayEvent } from '../../gateway/gateway.ts';
import { startGateway } from '../../gateway/server.ts';
import { wireOf, type Usage } from '../../protocol/model.ts';
import type { AgentStart } from '../../protocol/agent.ts';
import { startAgentProcess, type AgentProcess, type AgentRequests } from './agentProcess.ts';
import type { SessionOptions } from '../session.ts';

/** An agent process with the model server that only it may use; the one does not outlive the other. */
export interface HostedAgent {
  readonly process: AgentProcess;
  /** Ends both. */
  end(): Promise<void>;
}

export interface HostedAgentOptions extends Pick<
  SessionOptions,
  'sandbox' | 'programs' | 'folders' | 'model' | 'backend' | 'runDirectory' | 'log'
> {
  readonly limits: { readonly maxRequests: number; readonly contextTokens: number };
  readonly history: AgentStart['history'];
  readonly workspace: AgentStart['workspace'];
  readonly requests: AgentRequests;
  /** What the conversation used before this agent. */
  readonly usage: Usage;
  readonly onUsage: (usage: Usage) => void;
  readonly onProblem: (problem: Extract<GatewayEvent, { kind: 'problem' }>) => void;
  /** The process has ended, by itself or by `end`. */
  readonly onGone: () => void;
}

/** Starts the model server, then the agent. Rejects with a CordonError and leaves neither behind. */
export async function startHostedAgent(
  options: HostedAgentOptions,
  signal: AbortSignal,
): Promise<HostedAgent> {
  const { backend, runDirectory, model, limits, history, workspace, usage, onUsage, onProblem, onGone, log } =
    options;
  const gateway = await startGateway({
    directory: runDirectory,
    backend,
    ...(options.sandbox.owner === undefined ? {} : { owner: options.sandbox.owner }),
    maxRequests: maxSessionRequests,
    onEvent: event => (event.kind === 'usage' ? onUsage(sum(usage, event.usage)) : onProblem(event)),
  });
  try {
    const { socketPath, token } = gateway;
    const start = { wire: wireOf(model.provider), model: model.model, token, workspace, ...limits, history };
    const process = await startAgentProcess({ ...options, socketPath, start }, signal);
    void process.gone
      .then(async () => {
        onGone();
        await gateway[Symbol.asyncDispose]();
      })
      .catch((error: unknown) => log.error(messageOf(error)));
    return {
      process,
      end: async () => {
        // The token first: from here on the agent reaches no model, whatever it still does.
        await gateway[Symbol.asyncDispose]();
        await process.kill();
      },
    };
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
}

/** Model requests that one agent process may make in all. Turns have their own, smaller limit. */
const maxSessionRequests = 10_000;

function sum(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    requests: a.requests + b.requests,
  };
}
