import { rmSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChanges } from '../../../src/overlay/apply.ts';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { desiredFor } from '../../../src/overlay/desired.ts';
import { openTrash } from '../../../src/store/trash.ts';
import { liveOverlay } from './liveOverlay.ts';
import { operation, perform, picture } from './operations.ts';
import { scratch } from './scratch.ts';

// Thousands by hand: CORDON_RUNS=5000. A fixed seed otherwise, so that a build says the same twice.
const runs = Number(process.env['CORDON_RUNS'] ?? 120);
const seed = Number(process.env['CORDON_SEED'] ?? 20_261_121);

test(
  'whatever is done in the overlay, applying it makes the real folder equal to a plain copy of which the same was done',
  async () => {
    let changes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 10, maxLength: 60, size: 'max' }),
        fc.array(fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }), {
          minLength: 1,
          maxLength: 3,
        }),
        async (before, rounds) => {
          changes += await compare(before, rounds);
        },
      ),
      { numRuns: runs, seed, endOnFailure: process.env['CORDON_SHRINK'] === undefined },
    );
    expect(changes).toBeGreaterThan(runs * 3);
  },
  60_000 + runs * 1_000,
);

/** Returns how many changes were applied. */
async function compare(
  before: readonly Parameters<typeof perform>[1][],
  rounds: readonly (readonly Parameters<typeof perform>[1][])[],
): Promise<number> {
  const plain = scratch('plain');
  await using overlay = await liveOverlay(lower => {
    // The overlay cannot know of hard links that were there before it: only those made inside count.
    for (const root of [lower, plain]) {
      for (const folder of ['a', 'src', 'src/docs', 'docs'])
        perform(root, { do: 'makeFolder', path: folder });
      for (const each of before) if (each.do !== 'hardLink') perform(root, each);
    }
    expect(picture(plain)).toEqual(picture(lower));
  });
  using trash = openTrash(path.join(overlay.state, 'trash'));
  const options = { journals: path.join(overlay.state, 'applies'), trash };
  let applied = 0;
  try {
    for (const round of rounds) {
      for (const each of round)
        expect({ each, said: perform(overlay.merged, each) }).toEqual({ each, said: perform(plain, each) });
      expect(picture(overlay.merged)).toEqual(picture(plain));

      const { changes, groups } = await readChangeset(overlay.folder);
      expect(groups).toEqual([]);
      const result = await applyChanges(
        overlay.folder.lower,
        changes.map(change => desiredFor(overlay.folder, change)),
        options,
      );
      expect(result).toMatchObject({ kind: 'applied' });
      expect(picture(overlay.folder.lower)).toEqual(picture(plain));
      applied += changes.length;

      // The user's folder is what it showed: nothing is left to review, seen anew.
      await overlay.unmount();
      await overlay.mount();
      expect(picture(overlay.merged)).toEqual(picture(plain));
      expect((await readChangeset(overlay.folder)).changes).toEqual([]);
    }
    return applied;
  } finally {
    rmSync(plain, { recursive: true, force: true });
  }
}
