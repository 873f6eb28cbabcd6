import {
  agent,
  type AgentApp,
  type AgentConnection,
  type ContentBlock,
  type Implementation,
  methods,
  PROTOCOL_VERSION,
  RequestError,
} from '@agentclientprotocol/sdk';
import { CordonError, messageOf } from '../../src/base/errors.ts';
import { randomId } from '../../src/base/ids.ts';
import { AgentStart, unsavedMethod, UnsavedNotification } from '../../src/protocol/agent.ts';
import { asData } from './asData.ts';
import { BackgroundCommands } from './backgroundCommands.ts';
import { openBroker } from './broker.ts';
import { Conversation } from './conversation.ts';
import { type GatewayBridge, openGatewayBridge } from './gatewayBridge.ts';
import { maxOutputTokens, openModelClient } from './modelClient.ts';
import { projectFacts } from './projectFacts.ts';
import { ReadLedger } from './readLedger.ts';
import { pageLimits } from './readText.ts';
import { systemPrompt } from './systemPrompt.ts';
import { runTurn, type TurnOptions } from './turn.ts';
import { openWorkspace } from './workspace.ts';

const info: Implementation = { name: 'cordon-agent', title: 'Cordon', version: '0.1.0' };

/** The one session of this process. */
interface AgentSession {
  readonly id: string;
  readonly bridge: GatewayBridge;
  /** What the model is told first. */
  readonly prompt: string;
  readonly turn: Omit<TurnOptions, 'system'>;
  /** As the tools see it. */
  readonly unsaved: Set<string>;
  /** Of the turn that runs. */
  running: AbortController | undefined;
}

/** Cordon's agent as an ACP program: one session, one turn at a time. Connect it to a stream to serve a broker. */
export function cordonAgent(): AgentApp {
  let session: AgentSession | 'starting' | undefined;
  let connection: AgentConnection | undefined;
  return agent({ name: info.name })
    .onConnect(opened => {
      connection = opened;
    })
    .onRequest(methods.agent.initialize, () => ({
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: info,
      agentCapabilities: {
        promptCapabilities: { embeddedContext: true },
        sessionCapabilities: { additionalDirectories: {} },
      },
      authMethods: [],
    }))
    .onRequest(methods.agent.session.new, async ({ params, client }) => {
      const { cwd, additionalDirectories = [], _meta: extension } = params;
      if (session !== undefined)
        throw RequestError.invalidRequest(undefined, 'this process has its session already');
      session = 'starting';
      try {
        const start = AgentStart.safeParse(extension?.['cordon']);
        if (!start.success) throw RequestError.invalidParams(undefined, '_meta.cordon is missing or wrong');
        session = await startSession(
          start.data,
          [cwd, ...additionalDirectories],
          connection?.client ?? client,
        );
        return { sessionId: session.id };
      } catch (error) {
        session = undefined;
        throw asRequestError(error);
      }
    })
    .onRequest(methods.agent.session.prompt, async ({ params, signal }) => {
      const current = known(session, params.sessionId);
      if (current.running !== undefined)
        throw RequestError.invalidRequest(undefined, 'a turn is running already');
      const running = new AbortController();
      current.running = running;
      try {
        current.turn.conversation.addUserText(promptText(params.prompt));
        const system = [current.prompt, await projectFacts(current.turn.workspace, new Date())];
        return {
          stopReason: await runTurn({ ...current.turn, system }, AbortSignal.any([running.signal, signal])),
        };
      } catch (error) {
        if (running.signal.aborted || signal.aborted) return { stopReason: 'cancelled' };
        throw asRequestError(error);
      } finally {
        current.running = undefined;
      }
    })
    .onNotification(unsavedMethod, UnsavedNotification, ({ params }) => {
      if (typeof session !== 'object' || session.id !== params.sessionId) return;
      session.unsaved.clear();
      for (const path of params.paths) session.unsaved.add(path);
    })
    .onNotification(methods.agent.session.cancel, ({ params }) => {
      if (typeof session === 'object' && session.id === params.sessionId)
        session.running?.abort(new CordonError('agent.stopped', 'The turn was stopped.'));
    });
}

async function startSession(
  start: AgentStart,
  folders: readonly [string, ...string[]],
  client: Parameters<typeof openBroker>[0],
): Promise<AgentSession> {
  const id = randomId();
  const workspace = await openWorkspace(folders);
  const bridge = await openGatewayBridge(start.gatewaySocket);
  const unsaved = new Set<string>();
  return {
    id,
    bridge,
    unsaved,
    running: undefined,
    prompt: systemPrompt(start.workspace),
    turn: {
      conversation: new Conversation(start.history),
      model: await openModelClient(start, bridge.origin),
      broker: openBroker(client, id),
      workspace,
      ledger: new ReadLedger(),
      background: new BackgroundCommands(),
      unsaved,
      hasCopy: start.workspace === 'copy',
      ripgrep: start.ripgrep,
      // One file at once never fills more than about a quarter of the context.
      pageBytes: Math.min(pageLimits.bytes, start.contextTokens),
      inputTokens: start.contextTokens - maxOutputTokens(start),
      maxRequests: start.maxRequests,
    },
  };
}

function known(session: AgentSession | 'starting' | undefined, id: string): AgentSession {
  if (typeof session !== 'object' || session.id !== id) throw RequestError.sessionNotFound(id);
  return session;
}

/** The user's words as they are; what is attached to them is quoted as data. */
function promptText(blocks: readonly ContentBlock[]): string {
  return blocks
    .map(block => {
      switch (block.type) {
        case 'text':
          return block.text;
        case 'resource_link':
          return `[Attached: ${block.uri}]`;
        case 'resource':
          return 'text' in block.resource
            ? asData(block.resource.uri, block.resource.text)
            : `[Attached, not text: ${block.resource.uri}]`;
        case 'image':
        case 'audio':
          return `[Attached ${block.type}, which cannot be read here]`;
      }
    })
    .join('\n\n');
}

/** JSON-RPC's "internal error" with a sentence for the user instead of a stack, and the error's own code. */
function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  return new RequestError(-32_603, messageOf(error), {
    code: error instanceof CordonError ? error.code : 'agent.failed',
  });
}
