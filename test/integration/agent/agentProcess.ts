import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { ndJsonStream } from '@agentclientprotocol/sdk';
import { proveToAgent } from '../../../src/base/handshake.ts';

/** The agent as it ships: one file, bundled as the build does it. */
export interface Bundle extends Disposable {
  readonly file: string;
}

export function bundleAgent(): Bundle {
  const directory = mkdtempSync(path.join(tmpdir(), 'cordon-bundle-'));
  execFileSync(process.execPath, ['esbuild.mjs', '--only', 'agent', '--out', directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    file: path.join(directory, 'agent.cjs'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface AgentProcess extends AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly exited: Promise<number | null>;
  /** Everything on standard output and error so far. */
  readonly out: () => string;
  readonly err: () => string;
}

export interface LaunchOptions {
  readonly argv: readonly [string, ...string[]];
  /** What descriptor 3 gives; none when undefined. */
  readonly key?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function launchAgent({
  argv: [program, ...args],
  key,
  environment = {},
}: LaunchOptions): AgentProcess {
  const extra = key === undefined ? [] : (['pipe'] as const);
  const child = spawn(program, args, {
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe', ...extra],
  }) as unknown as AgentProcess['child'];
  const descriptor = child.stdio[3] as Writable | null | undefined;
  descriptor?.on('error', () => {}).end(key);
  child.stdin.on('error', () => {});
  let out = '';
  let err = '';
  // Looked at on the way, not taken: the protocol reads it too.
  const push = child.stdout.push.bind(child.stdout);
  child.stdout.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk !== null) out += chunk.toString('utf8');
    return push(chunk, encoding);
  };
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    exited,
    out: () => out,
    err: () => err,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export function freshKey(): Buffer {
  return randomBytes(32);
}

/** The protocol's stream to an agent that has proved itself. */
export async function proved(agent: AgentProcess, key: Buffer): Promise<ReturnType<typeof ndJsonStream>> {
  await proveToAgent(key, agent.child.stdout, agent.child.stdin, AbortSignal.timeout(30_000));
  return ndJsonStream(
    Writable.toWeb(agent.child.stdin),
    Readable.toWeb(agent.child.stdout) as ReadableStream<Uint8Array>,
  );
}
