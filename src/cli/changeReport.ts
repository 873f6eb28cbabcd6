import { createTwoFilesPatch } from 'diff';
import { visibleText } from '../base/visibleText.ts';
import type { Change, ChangeGroup, OverlayFolder } from '../overlay/changeset.ts';
import { describeChange, textSides, type DescribedChange } from '../overlay/describeChange.ts';

/** One change for programs: one object of `cordon review --json`. */
export interface ReportedChange extends Omit<DescribedChange, 'protectedBecause'> {
  /** What the path could do; it is applied only when it is named by itself. */
  readonly protected?: string;
}

export async function reportChange(folder: OverlayFolder, change: Change): Promise<ReportedChange> {
  const { protectedBecause, ...described } = await describeChange(folder, change);
  return { ...described, ...(protectedBecause === undefined ? {} : { protected: protectedBecause }) };
}

/** One line for people, names made visible. */
export function changeLine(change: ReportedChange): string {
  const { path, kind, renamed, added, removed, mode, binary } = change;
  const name = visibleName(path) + (change.is === 'directory' || change.was === 'directory' ? '/' : '');
  const facts = [
    renamed === undefined
      ? ''
      : kind === 'deleted'
        ? `moved to ${visibleName(renamed)}`
        : `was ${visibleName(renamed)}`,
    binary ? 'binary' : '',
    kind === 'replaced' ? `${change.was} → ${change.is}` : '',
    added === undefined || kind === 'mode' || renamed !== undefined ? '' : `+${added} −${removed}`,
    mode ? `${mode.was} → ${mode.is}` : '',
  ].filter(fact => fact !== '');
  const mark = change.protected === undefined ? ' ' : '!';
  const line = `${mark} ${kind.padEnd(9)} ${name}${facts.length > 0 ? `  (${facts.join(', ')})` : ''}`;
  return change.protected === undefined
    ? line
    : `${line}\n            protected: it ${change.protected}. Name it by itself to apply it.`;
}

export function groupLine({ kind, name, files }: ChangeGroup): string {
  const why = {
    ignored: 'outputs; name them to apply them',
    repository: 'the repository itself; commits are imported by git',
    special: 'a pipe, socket or device',
    unreadable: 'its permissions keep you from reading it',
    unrecorded: 'too large to keep what it held before',
  }[kind];
  return `  ${'stays'.padEnd(9)} ${visibleName(name)}  (${files} ${files === 1 ? 'file' : 'files'}; ${why})`;
}

/** The text of a change as a patch. Empty for what is not text. */
export async function changePatch(folder: OverlayFolder, change: Change): Promise<string> {
  const sides = await textSides(folder, change);
  if (!sides) return '';
  const [before, after] = sides.map(side => side.toString('utf8'));
  const name = visibleName(change.path);
  const patch = createTwoFilesPatch(
    change.before ? `a/${name}` : '/dev/null',
    change.after ? `b/${name}` : '/dev/null',
    before ?? '',
    after ?? '',
    undefined,
    undefined,
    { timeout: 5_000 },
  );
  return patch === undefined ? '' : visibleText(patch.replace(/^=+\n/, ''));
}

/** A name on one line, nothing in it hidden. */
export function visibleName(name: string): string {
  return visibleText(name)
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(/[\uDC80-\uDCFF]/gu, byte => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}
