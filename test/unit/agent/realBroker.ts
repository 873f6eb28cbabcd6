import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  client,
  type ClientApp,
  type CreateElicitationRequest,
  methods,
  RequestError,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';
import {
  DeleteFileRequest,
  deleteFileMethod,
  type DeniedData,
  rpcErrors,
  TerminalMeta,
  WriteMeta,
} from '../../../src/protocol/agent.ts';

/** What the broker of a test was asked, and what it should refuse. It really writes files and really runs commands. */
export interface RealBroker extends Disposable {
  readonly app: ClientApp;
  readonly updates: SessionUpdate[];
  readonly commands: { command: string; cwd: string; meta: TerminalMeta }[];
  readonly writes: { path: string; meta: WriteMeta }[];
  readonly questions: CreateElicitationRequest[];
  /** Called before each effect; a denial makes it not happen. */
  deny: (what: { kind: 'read' | 'write' | 'delete' | 'command'; text: string }) => DeniedData | undefined;
  /** Texts that the editor holds unsaved, by path. */
  readonly unsaved: Map<string, string>;
  /** The user's answer to questions; undefined declines. */
  answer: string | undefined;
  /** All text of the agent's messages so far. */
  said(): string;
  /** Shell processes that still run. */
  running(): number;
}

interface Terminal {
  readonly child: ChildProcess;
  output: string;
  exit: { exitCode: number | null; signal: string | null } | undefined;
  readonly exited: Promise<void>;
}

export function realBroker(): RealBroker {
  const terminals = new Map<string, Terminal>();
  const broker: Omit<RealBroker, 'app'> = {
    updates: [],
    commands: [],
    writes: [],
    questions: [],
    deny: () => undefined,
    unsaved: new Map(),
    answer: undefined,
    said: () => textOf(broker.updates, 'agent_message_chunk'),
    running: () => [...terminals.values()].filter(terminal => terminal.exit === undefined).length,
    [Symbol.dispose]: () => terminals.forEach(kill),
  };
  const app = client({ name: 'test-broker' })
    .onNotification(methods.client.session.update, ({ params }) => void broker.updates.push(params.update))
    .onRequest(methods.client.fs.readTextFile, ({ params }) => {
      const unsaved = broker.unsaved.get(params.path);
      refuse(broker.deny({ kind: 'read', text: params.path }));
      const from = unsaved === undefined ? 'outside' : 'editor';
      return { content: unsaved ?? readFileSync(params.path, 'utf8'), _meta: { cordon: { from } } };
    })
    .onRequest(methods.client.fs.writeTextFile, ({ params }) => {
      const meta = WriteMeta.parse(metaOf(params));
      broker.writes.push({ path: params.path, meta });
      refuse(broker.deny({ kind: 'write', text: params.path }));
      if (hashOf(params.path) !== meta.expectedSha256)
        throw new RequestError(rpcErrors.conflict, 'The file is not what it was.');
      mkdirSync(path.dirname(params.path), { recursive: true });
      writeFileSync(params.path, params.content);
      return {};
    })
    .onRequest(deleteFileMethod, DeleteFileRequest, ({ params }) => {
      refuse(broker.deny({ kind: 'delete', text: params.path }));
      if (hashOf(params.path) !== params.expectedSha256)
        throw new RequestError(rpcErrors.conflict, 'The file is not what it was.');
      rmSync(params.path);
      return {};
    })
    .onRequest(methods.client.terminal.create, ({ params }) => {
      const meta = TerminalMeta.parse(metaOf(params));
      const cwd = params.cwd ?? '/';
      broker.commands.push({ command: params.command, cwd, meta });
      refuse(broker.deny({ kind: 'command', text: params.command }));
      const terminalId = `t${terminals.size + 1}`;
      terminals.set(terminalId, start(params.command, cwd, params.outputByteLimit ?? Infinity));
      return { terminalId };
    })
    .onRequest(methods.client.terminal.waitForExit, async ({ params }) => {
      const terminal = found(terminals, params.terminalId);
      await terminal.exited;
      return terminal.exit ?? {};
    })
    .onRequest(methods.client.terminal.output, ({ params }) => {
      return { output: found(terminals, params.terminalId).output, truncated: false };
    })
    .onRequest(methods.client.terminal.kill, ({ params }) => {
      kill(found(terminals, params.terminalId));
      return {};
    })
    .onRequest(methods.client.terminal.release, ({ params }) => {
      kill(found(terminals, params.terminalId));
      return {};
    })
    .onRequest(methods.client.elicitation.create, ({ params }) => {
      broker.questions.push(params);
      return broker.answer === undefined
        ? { action: 'decline' }
        : { action: 'accept', content: { answer: broker.answer } };
    });
  return Object.assign(broker, { app });
}

/** The text of all chunks of one kind, in order. */
function textOf(
  updates: readonly SessionUpdate[],
  kind: 'agent_message_chunk' | 'agent_thought_chunk',
): string {
  return updates
    .map(update =>
      update.sessionUpdate === kind && update.content.type === 'text' ? update.content.text : '',
    )
    .join('');
}

function metaOf(params: { _meta?: Record<string, unknown> | null }): unknown {
  const { _meta: extension } = params;
  return extension?.['cordon'];
}

function refuse(denied: DeniedData | undefined): void {
  if (denied !== undefined) throw new RequestError(rpcErrors.denied, 'Denied.', denied);
}

function hashOf(file: string): string | null {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : null;
}

function start(command: string, cwd: string, limit: number): Terminal {
  const child = spawn('bash', ['--noprofile', '--norc', '-c', command], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  const terminal: Terminal = { child, output: '', exit: undefined, exited };
  const append = (chunk: Buffer) => {
    terminal.output = (terminal.output + chunk.toString('utf8')).slice(-limit);
  };
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  child.on('close', (exitCode, signal) => {
    terminal.exit = { exitCode, signal };
    resolve();
  });
  return terminal;
}

function kill(terminal: Terminal): void {
  if (terminal.exit !== undefined || terminal.child.pid === undefined) return;
  try {
    process.kill(-terminal.child.pid, 'SIGKILL');
  } catch {
    // It went away by itself in this very moment.
  }
}

function found(terminals: ReadonlyMap<string, Terminal>, id: string): Terminal {
  const terminal = terminals.get(id);
  if (terminal === undefined) throw RequestError.resourceNotFound(id);
  return terminal;
}
