import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { rgPath } from '@vscode/ripgrep';
import esbuild from 'esbuild';
import { vi } from 'vitest';
import { removeTree } from '../../../src/base/removeTree.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import { demoBackend } from '../../../src/gateway/demo/demoBackend.ts';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { ApprovalRequest } from '../../../src/protocol/approval.ts';
import type {
  Conversation,
  SessionEvent,
  ToolCallItem,
  TranscriptItem,
} from '../../../src/protocol/transcript.ts';
import type { Programs, Session, SessionOptions } from '../../../src/session/session.ts';
import { openOverlayCopy } from '../../../src/session/changes/openOverlayCopy.ts';
import { openWholeCopy } from '../../../src/session/changes/openWholeCopy.ts';
import type { WorkingCopy } from '../../../src/session/changes/workingCopy.ts';
import { startSession } from '../../../src/session/startSession.ts';

/** The programs that run inside, built into the folder as they ship. */
export async function buildPrograms(folder: string): Promise<Programs> {
  await build('agent', folder);
  return {
    node: process.execPath,
    agent: path.join(folder, 'agent.cjs'),
    fileWriter: path.join(folder, 'file-writer.cjs'),
    ripgrep: rgPath,
  };
}

/** The command line with the programs that it needs beside it. Returns its path. */
export async function buildCommandLine(folder: string): Promise<string> {
  await build('cli', folder);
  const programs = await buildPrograms(path.join(folder, 'programs'));
  for (const file of [programs.agent, programs.fileWriter])
    copyFileSync(file, path.join(folder, path.basename(file)));
  await build('changes-worker', path.join(folder, 'worker'));
  copyFileSync(path.join(folder, 'worker/changes-worker.cjs'), path.join(folder, 'changes-worker.cjs'));
  return path.join(folder, 'cli.cjs');
}

async function buildChangesWorker(folder: string): Promise<string> {
  await build('changes-worker', path.join(folder, 'worker'));
  // Beside the packages it loads, as it is when it ships.
  const worker = path.join(folder, 'worker/changes-worker.cjs');
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  return worker;
}

async function build(entryPoint: string, folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['esbuild.mjs', '--only', entryPoint, '--out', folder]);
}

/** Another agent: a program of the tests', bundled into the folder. */
export async function buildAgent(folder: string, entryPoint: string): Promise<string> {
  const outfile = path.join(folder, `${path.basename(entryPoint, '.ts')}.cjs`);
  await esbuild.build({ entryPoints: [entryPoint], outfile, bundle: true, platform: 'node', format: 'cjs' });
  return outfile;
}

export function temporaryFolder(disk = tmpdir()): string {
  return realpathSync(mkdtempSync(path.join(disk, 'cs-')));
}

/** Asks for everything and proposes the first word. */
export const askingPolicy: CommandPolicy = {
  decide: () => ({
    decision: 'ask',
    risk: 20,
    reasons: [{ code: 'rule.none', message: 'No rule allows it.', span: [0, 1] }],
  }),
  propose: ({ command }) => [{ pattern: `${command.split(' ')[0]} **`, description: 'All of it' }],
};

/** A session with everything real around it: sandbox, agent, gateway, and by default the demonstration model. */
export class Stage implements AsyncDisposable {
  readonly folder: string;
  readonly workspace: string;
  readonly events: SessionEvent[] = [];
  readonly remembered: unknown[] = [];
  sandbox!: Sandbox;
  copy!: WorkingCopy;
  #worker: string | undefined;
  session!: Session;

  /** `disk`: where all of it lies; the machine's temporary folder when absent. */
  constructor(
    private readonly programs: Programs,
    disk?: string,
  ) {
    this.folder = temporaryFolder(disk);
    this.workspace = path.join(this.folder, 'my project');
    cpSync('test/sample', this.workspace, { recursive: true });
    mkdirSync(path.join(this.folder, 'run'), { mode: 0o700 });
  }

  /** A conversation in a copy-on-write view of the workspace, as a window opens it. */
  async openOverlaid(options: Partial<SessionOptions> = {}): Promise<this> {
    this.copy = await this.openCopy(path.join(this.folder, 'copy'));
    return await this.open({ workingCopy: this.copy, ...options });
  }

  /** A conversation where there is no overlay. */
  async openWhole(kind: 'clone' | 'direct', options: Partial<SessionOptions> = {}): Promise<this> {
    this.copy = await openWholeCopy(kind, await this.#copyOptions(path.join(this.folder, 'copy')));
    return await this.open({ workingCopy: this.copy, ...options });
  }

  async openCopy(directory: string): Promise<WorkingCopy> {
    return await openOverlayCopy({ ...(await this.#copyOptions(directory)), bwrap: '/usr/bin/bwrap' });
  }

  async #copyOptions(directory: string) {
    this.#worker ??= await buildChangesWorker(this.folder);
    return {
      directory,
      folders: [this.workspace],
      journals: path.join(this.folder, 'applies'),
      trash: path.join(this.folder, 'trash'),
      worker: this.#worker,
    };
  }

  async open(options: Partial<SessionOptions> = {}): Promise<this> {
    this.sandbox = await openSandbox({
      folders: [this.workspace],
      stateDirectory: path.join(this.folder, 'state'),
      ...(this.copy?.view ? { copyOnWrite: this.copy.view } : {}),
    });
    this.session = startSession({
      id: 'c1',
      folders: [this.workspace],
      model: { provider: 'demo', model: 'demo' },
      backend: demoBackend({ pace: 0 }),
      sandbox: this.sandbox,
      policy: () => askingPolicy,
      writableFolders: () => [],
      remember: async (answer, what) => void this.remembered.push([what, answer]),
      programs: this.programs,
      runDirectory: path.join(this.folder, 'run'),
      onEvent: event => void this.events.push(event),
      log: { info() {}, warn: text => this.logged.push(text), error: text => this.logged.push(text) },
      ...options,
    });
    return this;
  }

  readonly logged: string[] = [];

  get conversation(): Conversation {
    return this.session.conversation;
  }

  /** The newest entries of one kind. */
  items<Kind extends TranscriptItem['kind']>(kind: Kind): Extract<TranscriptItem, { kind: Kind }>[] {
    return this.conversation.items.filter(
      (item): item is Extract<TranscriptItem, { kind: Kind }> => item.kind === kind,
    );
  }

  get lastCall(): ToolCallItem | undefined {
    return this.items('toolCall').at(-1);
  }

  /** What the agent said in the last turn. */
  get said(): string {
    const start = this.conversation.items.findLastIndex(({ kind }) => kind === 'user');
    return this.conversation.items
      .slice(start)
      .map(item => (item.kind === 'assistant' ? item.text : ''))
      .join('');
  }

  get ending(): string | undefined {
    return this.items('turnEnd').at(-1)?.reason;
  }

  /** The approval that waits, as soon as one does. */
  async approval(): Promise<ApprovalRequest> {
    return await vi.waitUntil(() => this.conversation.approvals[0], { timeout: 40_000, interval: 10 });
  }

  exists(...names: string[]): boolean {
    return existsSync(path.join(this.workspace, ...names));
  }

  write(name: string, content: string): void {
    mkdirSync(path.dirname(path.join(this.workspace, name)), { recursive: true });
    writeFileSync(path.join(this.workspace, name), content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session?.[Symbol.asyncDispose]();
    await this.sandbox?.[Symbol.asyncDispose]();
    await this.copy?.[Symbol.asyncDispose]();
    removeTree(this.folder);
  }
}
