import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { Checkpoints } from '../../../src/overlay/checkpoints.ts';
import { discardAll, discardChanges } from '../../../src/overlay/discard.ts';
import { openOverlayRecord } from '../../../src/overlay/overlayRecord.ts';
import { liveOverlay } from './liveOverlay.ts';
import { operation, perform, picture, type Operation } from './operations.ts';

// Thousands by hand: CORDON_RUNS=5000. A fixed seed otherwise, so that a build says the same twice.
const runs = Number(process.env['CORDON_RUNS'] ?? 50);
const seed = Number(process.env['CORDON_SEED'] ?? 20_261_122);
const settings = { numRuns: runs, seed, endOnFailure: process.env['CORDON_SHRINK'] === undefined };
const longest = 60_000 + runs * 1_000;

const some = (most: number) => fc.array(operation, { minLength: 5, maxLength: most, size: 'max' });

function fill(before: readonly Operation[]): (lower: string) => void {
  return lower => {
    for (const path of ['a', 'src', 'src/docs', 'docs']) perform(lower, { do: 'makeFolder', path });
    for (const each of before) if (each.do !== 'hardLink') perform(lower, each);
  };
}

test(
  'going back to any checkpoint, in any order, shows exactly what was there, also where the view stays mounted',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        some(40),
        fc.array(some(25), { minLength: 2, maxLength: 4 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
        async (before, turns, returns) => {
          await using overlay = await liveOverlay(fill(before));
          using record = openOverlayRecord(overlay.folder.upper);
          const checkpoints = new Checkpoints(overlay.folder, record);
          const real = picture(overlay.folder.lower);
          const seen = new Map<number, string[]>();
          for (const turn of turns) {
            for (const each of turn) perform(overlay.merged, each);
            const { id } = await checkpoints.take('turn', overlay.merged);
            seen.set(id, picture(overlay.merged));
          }
          for (const pick of returns) {
            const [id = 0, wanted] = [...seen][pick % seen.size] ?? [];
            await checkpoints.goBack(id);
            await overlay.refresh();
            expect(picture(overlay.merged)).toEqual(wanted);
            // And work goes on from there.
            for (const each of turns[0] ?? []) perform(overlay.merged, each);
          }
          expect(picture(overlay.folder.lower)).toEqual(real);
        },
      ),
      settings,
    );
  },
  longest,
);

test(
  'a discarded change is gone, all others stay, and discarding them all leaves the folder as it was',
  async () => {
    await fc.assert(
      fc.asyncProperty(some(40), some(40), fc.array(fc.nat(40)), async (before, turn, picks) => {
        await using overlay = await liveOverlay(fill(before));
        for (const each of turn) perform(overlay.merged, each);
        const { changes } = await readChangeset(overlay.folder);
        // Of what lies in a folder that came, went or was replaced, only the folder itself is picked here.
        const apart = changes.filter(
          ({ path }) => !changes.some(outer => path.startsWith(`${outer.path}/`) && outer.kind !== 'mode'),
        );
        const picked = new Set(picks.flatMap(pick => apart[pick % apart.length]?.path ?? []));
        const shown = picture(overlay.merged);
        await discardChanges(overlay.folder, [...picked]);
        await overlay.refresh();
        const isPicked = (line: string) =>
          [...picked].some(path => {
            const name = JSON.stringify(path);
            const isMode = changes.find(each => each.path === path)?.after?.kind === 'directory';
            const inside = line.startsWith(`${name.slice(0, -1)}/`) && !(isMode && isFolderBelow(path));
            return line.startsWith(`${name} `) || inside;
          });
        const isFolderBelow = (path: string) =>
          changes.find(each => each.path === path)?.before?.kind === 'directory';
        const real = picture(overlay.folder.lower);
        const now = picture(overlay.merged);
        expect(now.filter(isPicked)).toEqual(real.filter(isPicked));
        expect(now.filter(line => !isPicked(line))).toEqual(shown.filter(line => !isPicked(line)));

        const rest = (await readChangeset(overlay.folder)).changes;
        if (picks.length % 2 === 0) discardAll(overlay.folder);
        else
          await discardChanges(
            overlay.folder,
            rest.map(({ path }) => path),
          );
        await overlay.refresh();
        expect(picture(overlay.merged)).toEqual(real);
        expect((await readChangeset(overlay.folder)).changes).toEqual([]);
      }),
      settings,
    );
  },
  longest,
);
