import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ClientContext, methods, PROTOCOL_VERSION, type StopReason } from '@agentclientprotocol/sdk';
import { rgPath } from '@vscode/ripgrep';
import { cordonAgent } from '../../../sandbox/agent/agent.ts';
import type { AgentStart } from '../../../src/protocol/agent.ts';
import { type RealBroker, realBroker } from './realBroker.ts';
import { type ScriptedModel, scriptedModel, type Step } from './scriptedModel.ts';

export interface TestAgent extends AsyncDisposable {
  /** A fresh folder with the files given. */
  readonly folder: string;
  readonly broker: RealBroker;
  readonly model: ScriptedModel;
  readonly sessionId: string;
  readonly connection: ClientContext;
  prompt(text: string): Promise<StopReason>;
  cancel(): Promise<void>;
}

export interface TestAgentOptions {
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly start?: Partial<AgentStart>;
  /** Puts something between the agent and the scripted service: gives the socket and the token to use. */
  readonly gateway?: (model: ScriptedModel) => Promise<{ socketPath: string; token: string }>;
}

/** The agent in this process, with a model that follows `steps`, a real folder and a broker that really acts. */
export async function testAgent(steps: readonly Step[], options: TestAgentOptions = {}): Promise<TestAgent> {
  const folder = folderWith(options.files ?? {});
  const model = await scriptedModel(steps);
  const gateway = await options.gateway?.(model);
  const start = gateway === undefined ? options.start : { ...options.start, token: gateway.token };
  const broker = realBroker();
  const connection = broker.app.connect(cordonAgent());
  const { agent } = connection;
  await agent.request(methods.agent.initialize, { protocolVersion: PROTOCOL_VERSION });
  const { sessionId } = await agent.request(methods.agent.session.new, {
    cwd: folder,
    mcpServers: [],
    _meta: { cordon: startOf(gateway?.socketPath ?? model.socketPath, start) },
  });
  return {
    folder,
    broker,
    model,
    sessionId,
    connection: agent,
    async prompt(text) {
      return (
        await agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] })
      ).stopReason;
    },
    cancel: () => agent.notify(methods.agent.session.cancel, { sessionId }),
    async [Symbol.asyncDispose]() {
      connection.close();
      broker[Symbol.dispose]();
      await model[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function startOf(gatewaySocket: string, given: Partial<AgentStart> = {}): AgentStart {
  return {
    wire: 'anthropic',
    model: 'test-model',
    gatewaySocket,
    token: '0123456789abcdef0123456789abcdef',
    ripgrep: rgPath,
    contextTokens: 200_000,
    workspace: 'copy',
    maxRequests: 50,
    history: [],
    ...given,
  };
}

/** A fresh folder, by its real path, with these files in it. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-agent-')));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}
