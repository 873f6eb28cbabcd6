import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { CordonError } from '../base/errors.ts';

const FolderMode = z.object({ path: z.string(), mode: z.number() });

const Step = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('putAway'),
    path: z.string(),
    temporary: z.string(),
    identities: z.record(z.string(), z.string()),
    replaced: z.boolean(),
  }),
  z.object({
    do: z.literal('place'),
    path: z.string(),
    temporary: z.string(),
    desired: z.enum(['file', 'symlink']),
  }),
  z.object({ do: z.literal('makeFolder'), path: z.string(), mode: z.number() }),
  z.object({ do: z.literal('setMode'), path: z.string(), from: z.number(), to: z.number() }),
]);

/** All that is needed to finish or undo an apply without whoever began it. */
export const JournalHead = z.object({
  version: z.literal(1),
  id: z.string(),
  /** Real path of the workspace folder, and its device and inode. */
  folder: z.string(),
  folderIdentity: z.string(),
  steps: z.array(Step),
  loosened: z.array(FolderMode),
  emptied: z.array(z.string()),
  folderModes: z.array(FolderMode),
});
export type JournalHead = z.infer<typeof JournalHead>;

/**
 * How far it came. `preparing`: nothing of the user's was touched. `committed`: it will be finished, whatever happens,
 * unless something is in its way; `staged` are the identities of what is to be placed, by temporary name. `undoing`: it
 * will be undone. `applied`: all is in place, and what was put away may go.
 */
const JournalPhase = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('preparing') }),
  z.object({ phase: z.literal('committed'), staged: z.record(z.string(), z.string()) }),
  z.object({ phase: z.literal('undoing') }),
  z.object({ phase: z.literal('applied') }),
]);
export type JournalPhase = z.infer<typeof JournalPhase>;

/**
 * The journal of one apply: a file of JSON lines, each synced before what it announces begins. A line that was cut off
 * by a crash was never acted on, and is not read.
 */
export class Journal implements Disposable {
  readonly #file: number;

  private constructor(
    readonly path: string,
    flags: 'wx' | 'a',
  ) {
    this.#file = openSync(path, flags, 0o600);
  }

  static create(directory: string, head: JournalHead): Journal {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const journal = new Journal(path.join(directory, `${head.id}.journal`), 'wx');
    journal.#append(head);
    syncFolder(directory);
    return journal;
  }

  static reopen(file: string): Journal {
    return new Journal(file, 'a');
  }

  enter(phase: JournalPhase): void {
    this.#append(phase);
  }

  /** It is over: there is nothing to finish any more. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #append(line: unknown): void {
    // It begins with a newline too, so that a line cut off before does not spoil it.
    const bytes = Buffer.from(`\n${JSON.stringify(line)}\n`);
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
    fsyncSync(this.#file);
  }
}

/** The journals of applies that did not come to their end. */
export function openJournals(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter(name => name.endsWith('.journal'))
    .sort()
    .map(name => path.join(directory, name));
}

/**
 * What a journal says. Undefined when not even its first line was written: then nothing was done. Throws
 * `apply.journal` for one that this version cannot read.
 */
export function readJournal(
  file: string,
): { head: JournalHead; phase: JournalPhase; staged: Readonly<Record<string, string>> } | undefined {
  const [first, ...rest] = readFileSync(file, 'utf8').split('\n').flatMap(parsed);
  if (first === undefined) return undefined;
  const head = JournalHead.safeParse(first);
  if (!head.success) throw unreadable(file, head.error);
  const phases = rest.map(line => JournalPhase.safeParse(line));
  const bad = phases.find(phase => !phase.success);
  if (bad) throw unreadable(file, bad.error);
  const known = phases.flatMap(phase => (phase.success ? [phase.data] : []));
  const committed = known.find(phase => phase.phase === 'committed');
  return {
    head: head.data,
    phase: known.at(-1) ?? { phase: 'preparing' },
    staged: committed?.staged ?? {},
  };
}

function parsed(line: string): unknown[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

function syncFolder(directory: string): void {
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function unreadable(file: string, cause: unknown): CordonError {
  return new CordonError(
    'apply.journal',
    `An earlier apply was interrupted, and its journal ${file} cannot be read.`,
    'A newer version of Cordon may have written it: update Cordon. Nothing more is applied until then.',
    { cause },
  );
}
