import { rmSync } from 'node:fs';
import { rgPath } from '@vscode/ripgrep';
import { agent, methods, PROTOCOL_VERSION } from '@agentclientprotocol/sdk';
import { BackgroundCommands } from '../../../sandbox/agent/backgroundCommands.ts';
import { openBroker } from '../../../sandbox/agent/broker.ts';
import { ReadLedger } from '../../../sandbox/agent/readLedger.ts';
import { readyCall } from '../../../sandbox/agent/toolbox.ts';
import type { ToolContext, ToolResult } from '../../../sandbox/agent/tools/tool.ts';
import { openWorkspace } from '../../../sandbox/agent/workspace.ts';
import { type RealBroker, realBroker } from './realBroker.ts';
import { folderWith } from './testAgent.ts';

/** Tools without a model: called by name, in a real folder, over a real connection to a broker that really acts. */
export interface ToolBench extends AsyncDisposable {
  readonly folder: string;
  readonly broker: RealBroker;
  readonly context: ToolContext;
  /** What the broker told of: files with unsaved text. */
  readonly unsaved: Set<string>;
  /** Stops what runs. */
  readonly stop: AbortController;
  run(name: string, args: unknown): Promise<ToolResult>;
}

export async function toolBench(
  files: Readonly<Record<string, string | Buffer>> = {},
  more: readonly string[] = [],
): Promise<ToolBench> {
  const folder = folderWith(files);
  const broker = realBroker();
  const app = agent({ name: 'test' }).onRequest(methods.agent.initialize, () => ({
    protocolVersion: PROTOCOL_VERSION,
  }));
  const connection = app.connect(broker.app);
  const stop = new AbortController();
  const unsaved = new Set<string>();
  const context: ToolContext = {
    toolCallId: 'call-1',
    workspace: await openWorkspace([folder, ...more]),
    ledger: new ReadLedger(),
    broker: openBroker(connection.client, 'session-1'),
    background: new BackgroundCommands(),
    unsaved,
    hasCopy: false,
    ripgrep: rgPath,
    pageBytes: 256_000,
    signal: stop.signal,
  };
  return {
    folder,
    broker,
    context,
    unsaved,
    stop,
    async run(name, args) {
      const { call } = readyCall(name, JSON.stringify(args), context.workspace);
      return call.kind === 'invalid' ? { ok: false, text: call.message } : await call.run(context);
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      broker[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
      await Promise.resolve();
    },
  };
}

/** What stands inside the data marks of a result. */
export function dataIn(text: string): string {
  return /<data id="([0-9a-f]+)" source="[^"]*">\n([\s\S]*?)\n?<\/data id="\1">/.exec(text)?.[2] ?? '';
}
