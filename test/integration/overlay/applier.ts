// A broker that applies an overlay and is killed before one of its effects, for the test beside.
import path from 'node:path';
import { applyChanges } from '../../../src/overlay/apply.ts';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { desiredFor } from '../../../src/overlay/desired.ts';
import { openTrash } from '../../../src/store/trash.ts';

const [lower = '', upper = '', state = '', last = ''] = process.argv.slice(2);
const { changes } = await readChangeset({ lower, upper });
const trash = openTrash(path.join(state, 'trash'));
let effects = 0;
await applyChanges(
  lower,
  changes.map(change => desiredFor({ lower, upper }, change)),
  {
    journals: path.join(state, 'applies'),
    trash,
    before: () => {
      if (++effects >= Number(last)) process.kill(process.pid, 'SIGKILL');
    },
  },
);
