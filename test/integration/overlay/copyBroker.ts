// A broker that opens a copy of the workspace as a window does, makes the changes of the scene in it, and accepts all of
// them: for the test beside, which kills it on the way.
import { openOverlayCopy } from '../../../src/session/changes/openOverlayCopy.ts';
import * as scene from './scene.ts';

const [lower = '', state = '', worker = '', isFirst = ''] = process.argv.slice(2);
const copy = await openOverlayCopy({
  directory: `${state}/copy`,
  folders: [lower],
  bwrap: '/usr/bin/bwrap',
  journals: `${state}/applies`,
  trash: `${state}/trash`,
  worker,
});
if (isFirst === 'first') {
  scene.change(`/proc/${copy.view?.holder}/root${lower}`);
  await copy.refresh();
}
const reviews = await copy.changes.review();
const all = reviews.flatMap(({ changes }) => changes);
process.stdout.write(`accepting ${all.length}\n`);
const outcome =
  all.length === 0
    ? { kind: 'nothing' }
    : await copy.changes.accept(all.map(({ folder, path }) => ({ folder, path, isConfirmed: true })));
process.stdout.write(`${JSON.stringify(outcome)}\n`);
await copy[Symbol.asyncDispose]();
