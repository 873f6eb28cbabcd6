import { plainLabel } from '../plainLabel.ts';
import type { ChangeGroup } from '../../overlay/changeset.ts';
import type { Hunk } from '../../overlay/hunks.ts';
import type { TranscriptItem } from '../../protocol/transcript.ts';
import type { FolderReview, ReviewedChange } from '../../session/changes/changesEngine.ts';

export interface FileRow {
  readonly kind: 'file';
  readonly change: ReviewedChange;
}

export interface HunkRow {
  readonly kind: 'hunk';
  readonly change: ReviewedChange;
  /** Its place among the file's hunks. */
  readonly index: number;
  readonly hunk: Hunk;
}

export interface FolderRow {
  readonly kind: 'folder';
  readonly folder: string;
  readonly files: readonly FileRow[];
}

export interface TurnRow {
  readonly kind: 'turn';
  /** The user's message that began it; empty for what no turn of the transcript tells of. */
  readonly id: string;
  readonly label: string;
  readonly files: readonly FileRow[];
}

/** What is counted and not listed. */
export interface OutputsRow {
  readonly kind: 'outputs';
  readonly folder: string;
  readonly group: ChangeGroup;
}

/** A line of the "Changes" view. */
export type ChangeRow = FileRow | HunkRow | FolderRow | TurnRow | OutputsRow;

/**
 * The lines of the view below its root. Folders that came or went along with what is in them have no line of their own,
 * nor has the half of a rename that went away.
 */
export function rowsOf(
  review: readonly FolderReview[],
  items: readonly TranscriptItem[],
  groupBy: 'folder' | 'turn',
): ChangeRow[] {
  const folders = review.map(({ folder, changes }) => ({ folder, files: shownChanges(changes) }));
  const outputs = review.flatMap(({ folder, groups }) =>
    groups.map((group): OutputsRow => ({ kind: 'outputs', folder, group })),
  );
  const files = folders.flatMap(each => each.files);
  if (groupBy === 'turn') return [...turnRows(files, items), ...outputs];
  const full = folders.filter(each => each.files.length > 0);
  if (full.length < 2) return [...files, ...outputs];
  return [...full.map((each): FolderRow => ({ kind: 'folder', ...each })), ...outputs];
}

/** The changes that have a line of their own. */
export function shownChanges(changes: readonly ReviewedChange[]): FileRow[] {
  const parents = new Set(changes.flatMap(({ path }) => parentsOf(path)));
  const paths = new Set(changes.map(({ path }) => path));
  return changes
    .filter(({ path, was, is, kind, renamed }) => {
      if (kind === 'deleted' && renamed !== undefined && paths.has(renamed)) return false;
      const isFolder = is === 'directory' || (is === null && was === 'directory');
      return !(isFolder && kind !== 'mode' && kind !== 'replaced' && parents.has(path));
    })
    .map(change => ({ kind: 'file', change }));
}

/** The files that a line stands for. */
export function filesOf(row: ChangeRow): readonly FileRow[] {
  if (row.kind === 'folder' || row.kind === 'turn') return row.files;
  return row.kind === 'file' ? [row] : [];
}

/** Newest turn first; a file belongs to the last turn that wrote it. */
function turnRows(files: readonly FileRow[], items: readonly TranscriptItem[]): TurnRow[] {
  const turns = turnsOf(items).toReversed();
  const rows: TurnRow[] = [];
  let rest = files;
  for (const { id, label, paths } of turns) {
    const isOwn = ({ change }: FileRow) => paths.has(`${change.folder}/${change.path}`);
    const own = rest.filter(isOwn);
    rest = rest.filter(row => !isOwn(row));
    if (own.length > 0) rows.push({ kind: 'turn', id, label, files: own });
  }
  return rest.length === 0 ? rows : [...rows, { kind: 'turn', id: '', label: 'Other changes', files: rest }];
}

/** The turns of a conversation, and the absolute paths of what each wrote. */
export function turnsOf(
  items: readonly TranscriptItem[],
): { readonly id: string; readonly label: string; readonly paths: ReadonlySet<string> }[] {
  const turns: { id: string; label: string; paths: Set<string> }[] = [];
  for (const item of items) {
    if (item.kind === 'user')
      turns.push({ id: item.id, label: plainLabel(firstLine(item.text)), paths: new Set() });
    const paths = turns.at(-1)?.paths;
    if (item.kind === 'toolCall') for (const { path } of item.diffs) paths?.add(path);
    if (item.kind === 'toolCall' || item.kind === 'turnEnd')
      for (const file of item.changed?.files ?? []) paths?.add(file);
  }
  return turns;
}

/** `12` or `12–14`, counted in the agent's text, or in the user's where the lines go away. */
export function hunkLines({ afterLine, beforeLine, added, removed }: Hunk): string {
  const [from, count] = added.length > 0 ? [afterLine, added.length] : [beforeLine, removed.length];
  return count === 1 ? `${from}` : `${from}–${from + count - 1}`;
}

/** The first line that differs and is not empty, as text. */
export function hunkText({ added, removed }: Hunk): string {
  const line = [...added, ...removed].find(each => each.trim() !== '') ?? '';
  return plainLabel(Buffer.from(line, 'latin1').toString('utf8').trim().slice(0, 120));
}

/** How many lines come and go; a renamed file keeps its own. */
export function linesOf({ added = 0, removed = 0, renamed }: ReviewedChange): {
  readonly added: number;
  readonly removed: number;
} {
  return renamed === undefined ? { added, removed } : { added: 0, removed: 0 };
}

/** For the screen reader, and for whoever points at it: `modified, 3 lines added, 1 removed`. */
export function changeWords(change: ReviewedChange): string {
  const { kind, was, is, mode, renamed, binary } = change;
  const { added, removed } = linesOf(change);
  const what =
    renamed !== undefined
      ? `renamed from ${plainLabel(renamed)}`
      : kind === 'mode'
        ? `permissions ${mode?.was} → ${mode?.is}`
        : kind === 'replaced'
          ? `${kinds[was ?? 'file']} replaced by ${kinds[is ?? 'file']}`
          : kind;
  const thing = kind !== 'replaced' && (is ?? was) !== 'file' ? [kinds[is ?? was ?? 'file']] : [];
  const permissions = kind === 'modified' && mode ? [`permissions ${mode.was} → ${mode.is}`] : [];
  const lines =
    added + removed === 0 ? [] : [`${added} ${added === 1 ? 'line' : 'lines'} added, ${removed} removed`];
  return [...thing, what, ...permissions, ...lines, ...(binary ? ['not text'] : [])].join(', ');
}

const kinds = { file: 'file', directory: 'folder', symlink: 'link', special: 'special file' } as const;

/** As in git. */
export function changeLetter({ kind, renamed }: ReviewedChange): 'A' | 'M' | 'D' | 'R' | 'T' {
  if (renamed !== undefined) return 'R';
  return ({ added: 'A', modified: 'M', deleted: 'D', mode: 'M', replaced: 'T' } as const)[kind];
}

function parentsOf(path: string): string[] {
  const names = path.split('/');
  return names.slice(1).map((_, at) => names.slice(0, at + 1).join('/'));
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
