import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CordonError, messageOf } from '../base/errors.ts';
import { obstacleWords } from '../overlay/acceptance.ts';
import { applyChanges } from '../overlay/apply.ts';
import { restoreChanges } from '../overlay/restore.ts';
import { openTrash, type Trash, type TrashItem } from '../store/trash.ts';
import { readChangeArguments } from './changeArguments.ts';
import { visibleName } from './changeReport.ts';
import { canAsk, confirm } from './confirm.ts';
import { stateDirectory } from './stateDirectory.ts';

/**
 * `cordon trash list [--workspace DIR] [--json]` and `cordon trash restore [--workspace DIR] [--yes] [--json] ID|PATH…`:
 * what applies overwrote or deleted, and its way back. An ID is an item's number or the id of a whole apply; a path
 * means its newest item; a whole apply is undone whole. What a restore overwrites goes to the trash as well. Exit status 1 when nothing was changed, 2
 * for wrong usage.
 */
export async function trashCommand(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (word === 'list') return list(rest);
  if (word === 'restore') return await restore(rest);
  process.stderr.write('cordon trash: say "list" or "restore".\n');
  return 2;
}

function list(argv: readonly string[]): number {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { workspace: { type: 'string', multiple: true }, json: { type: 'boolean' } },
      strict: true,
    }));
  } catch (error) {
    process.stderr.write(`cordon trash: ${messageOf(error)}\n`);
    return 2;
  }
  const folders =
    values.workspace && readChangeArguments(values.workspace.flatMap(each => ['--workspace', each]));
  if (folders?.kind === 'wrong') {
    process.stderr.write(`cordon trash: ${folders.message}\n`);
    return 2;
  }
  using trash = openTrash(join(stateDirectory(), 'trash'));
  const items = trash.list().filter(({ folder }) => !folders || folders.folders.includes(folder));
  if (values.json) process.stdout.write(`${JSON.stringify(items)}\n`);
  else for (const item of items) process.stdout.write(`${itemLine(item)}\n`);
  return 0;
}

function itemLine({ id, batch, at, why, folder, path, kind, size }: TrashItem): string {
  const when = new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  const what = kind === 'file' && why !== 'made' && why !== 'mode' ? `${size} bytes` : kind;
  return `${String(id).padStart(6)}  ${batch.slice(0, 8)}  ${when}  ${why.padEnd(11)}  ${visibleName(`${folder}/${path}`)}  (${what})`;
}

async function restore(argv: readonly string[]): Promise<number> {
  const wanted = readChangeArguments(argv);
  if (wanted.kind === 'wrong' || wanted.words.length === 0) {
    const why = wanted.kind === 'wrong' ? wanted.message : 'say what to restore.';
    process.stderr.write(`cordon trash: ${why}\n`);
    return 2;
  }
  const state = stateDirectory();
  using trash = openTrash(join(state, 'trash'));
  const items = find(trash, wanted.words, wanted.paths);
  if (!wanted.yes && !canAsk()) {
    process.stderr.write(
      'cordon trash: without a terminal to ask on, --yes is needed. Nothing was changed.\n',
    );
    return 2;
  }
  if (!wanted.yes) {
    for (const item of items) process.stderr.write(`${itemLine(item)}\n`);
    if (!(await confirm('Restore these?'))) return 1;
  }
  const restored: string[] = [];
  for (const folder of new Set(items.map(item => item.folder))) {
    const changes = restoreChanges(
      folder,
      items.filter(item => item.folder === folder),
      item => trash.contentPath(item),
    );
    const result = await applyChanges(folder, changes, { journals: join(state, 'applies'), trash });
    if (result.kind === 'blocked') {
      for (const { path, kind } of result.obstacles)
        process.stderr.write(
          `cordon trash: ${visibleName(path)} was not restored: ${obstacleWords(kind)}.\n`,
        );
      return 1;
    }
    restored.push(...result.paths.map(path => join(folder, path)));
  }
  if (wanted.json) process.stdout.write(`${JSON.stringify({ restored })}\n`);
  else for (const path of restored) process.stdout.write(`Restored ${visibleName(path)}\n`);
  return 0;
}

/** The newest item of each path among those that are meant. */
function find(trash: Trash, words: readonly string[], paths: readonly string[]): TrashItem[] {
  const all = trash.list();
  const meant = words.flatMap((word, index) => {
    const one = all.filter(
      ({ id, folder, path }) => String(id) === word || `${folder}/${path}` === paths[index],
    );
    // A whole apply is undone whole: what it made goes as well.
    const found = one.length > 0 ? one : trash.batch(word);
    if (found.length === 0) throw nothingFound(word);
    const contents = found.filter(
      ({ kind, why }) => kind === 'file' && (why === 'overwritten' || why === 'deleted'),
    );
    if (contents.some(item => !existsSync(trash.contentPath(item)))) throw contentGone(word);
    return found;
  });
  const newest = new Map<string, TrashItem>();
  for (const item of meant.toSorted((one, other) => one.id - other.id))
    newest.set(JSON.stringify([item.folder, item.path]), item);
  return [...newest.values()];
}

function nothingFound(word: string): CordonError {
  return new CordonError(
    'trash.unknown',
    `Nothing in the trash is called "${word}".`,
    'See "cordon trash list".',
  );
}

function contentGone(word: string): CordonError {
  return new CordonError(
    'trash.gone',
    `The content of "${word}" is not in the trash any more.`,
    'It cannot be restored.',
  );
}
