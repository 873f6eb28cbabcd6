import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { CordonError } from '../base/errors.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** The agent's repository, as git in its own sandbox sees it: what its configuration and hooks do, they do in there. */
export interface AgentRepository {
  /** Absolute path of a folder in it, at which the overlay shows the agent's. */
  readonly repository: string;
  /** The session's, with the overlay in it. */
  readonly sandbox: Sandbox;
  readonly signal?: AbortSignal;
}

/** What git prints, up to `longest` UTF-16 units; undefined when it fails. The agent's word: judge it as such. */
export async function sandboxedText(
  from: AgentRepository,
  args: readonly string[],
  longest = 10_000,
): Promise<string | undefined> {
  const started = await launchGit(from, args);
  let text = '';
  started.stderr?.resume();
  started.stdout?.setEncoding('utf8');
  for await (const chunk of started.stdout ?? []) if (text.length < longest) text += String(chunk);
  const { code } = await started.exited;
  return code === 0 ? text.slice(0, longest).trim() : undefined;
}

/** Writes what git prints into a new file (0600), up to 1 GB. Throws `commits.unreadable` or `commits.tooLarge`. */
export async function sandboxedFile(
  from: AgentRepository,
  args: readonly string[],
  file: string,
): Promise<void> {
  const started = await launchGit(from, args);
  let [complaint, size] = ['', 0];
  started.stderr?.on(
    'data',
    (chunk: Buffer) => void (complaint = (complaint + chunk.toString()).slice(-1_000)),
  );
  const bounded = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > largest) throw tooLarge();
      yield chunk;
    }
  };
  try {
    if (started.stdout)
      await pipeline(started.stdout, bounded, createWriteStream(file, { mode: 0o600, flags: 'wx' }));
  } catch (error) {
    await started.kill();
    throw error;
  }
  if ((await started.exited).code !== 0) throw notBundled(complaint.trim());
}

/** Bytes of a bundle at most. */
const largest = 1024 * 1024 * 1024;

async function launchGit({ sandbox, repository, signal }: AgentRepository, args: readonly string[]) {
  const started = await sandbox.launch({
    argv: ['git', ...args],
    cwd: repository,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
    timeout: 5 * 60 * 1_000,
  });
  signal?.addEventListener('abort', () => void started.kill(), { once: true });
  return started;
}

function notBundled(complaint: string): CordonError {
  return new CordonError(
    'commits.unreadable',
    `The agent's commits cannot be read (${complaint || 'git failed'}). Nothing was imported.`,
    'Its repository may be damaged; review the changes of the files instead.',
  );
}

function tooLarge(): CordonError {
  return new CordonError(
    'commits.tooLarge',
    "The agent's commits hold more than 1 GB. Nothing was imported.",
    'Large files do not belong in a repository; review the changes of the files instead.',
  );
}
