import type { Change, OverlayFolder } from './changeset.ts';
import { textSides } from './describeChange.ts';
import { secretIn } from './secretContent.ts';

/**
 * What a change puts into a file that looks like a key, as the end of a sentence about the file; undefined when nothing
 * does, and where the user's own file holds the like already.
 */
export async function newSecret(folder: OverlayFolder, change: Change): Promise<string | undefined> {
  if (!change.after) return undefined;
  const sides = await textSides(folder, change);
  if (!sides) return undefined;
  const [before, after] = sides.map(side => side.toString('utf8'));
  const secret = await secretIn(after ?? '');
  return secret === undefined || secret === (await secretIn(before ?? '')) ? undefined : secret;
}
