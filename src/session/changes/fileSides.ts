import { CordonError } from '../../base/errors.ts';
import { identityOf } from '../../overlay/applySteps.ts';
import type { OverlayFolder } from '../../overlay/changeset.ts';
import { isBinary, readLower, readUpper } from '../../overlay/content.ts';
import { readEntry, type Entry } from '../../overlay/entry.ts';
import { hunksOf } from '../../overlay/hunks.ts';
import type { FileSides } from './changesEngine.ts';

/** A file as the user has it and as the copy does, which holds `held` of it. Throws `changes.tooLarge`. */
export async function fileSides(
  layers: OverlayFolder,
  path: string,
  held: Entry | 'whiteout' | undefined,
): Promise<Omit<FileSides, 'base'>> {
  const { lower } = layers;
  const before = readEntry(`${lower}/${path}`) ?? null;
  const after = held === undefined ? before : held === 'whiteout' ? null : held;
  const [old, fresh] = await Promise.all([
    contentOf(before, () => readLower(layers, path)),
    held === undefined
      ? contentOf(before, () => readLower(layers, path))
      : contentOf(after, () => readUpper(layers, path)),
  ]);
  const isText =
    (before?.kind !== 'file' || !isBinary(`${lower}/${path}`)) && !fresh?.subarray(0, 8_000).includes(0);
  const hunks = isText ? hunksOf(old ?? Buffer.alloc(0), fresh ?? Buffer.alloc(0)) : null;
  return { before: old, after: fresh, hunks, version: versionOf(before, after) };
}

/** Tells this state of both sides from every other one. */
export function versionOf(before: Entry | null, after: Entry | null): string {
  return [before, after].map(side => `${identityOf(side ?? undefined)} ${modeOf(side)}`).join(' → ');
}

function modeOf(entry: Entry | null): string {
  return entry && 'mode' in entry ? entry.mode.toString(8) : '';
}

/** Bytes of a file that is shown. */
const largest = 20 * 1024 * 1024;

async function contentOf(entry: Entry | null, read: () => Promise<Buffer>): Promise<Buffer | null> {
  if (entry?.kind === 'symlink') return Buffer.from(entry.target);
  if (entry?.kind !== 'file') return null;
  if (entry.size > largest)
    throw new CordonError(
      'changes.tooLarge',
      `The file has ${Math.round(entry.size / 1024 / 1024)} MB; more than 20 are not shown.`,
      'Accept or discard it whole.',
    );
  return await read();
}
