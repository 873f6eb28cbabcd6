// Another window of a workspace, for the tests beside: takes back every answer for a path, or says "never" to it.
import { FolderGrants } from '../../../src/session/consent/folderGrants.ts';
import { openGrants } from '../../../src/store/grants.ts';

const [file = '', workspace = '', path = '', what = ''] = process.argv.slice(2);
const grants = new FolderGrants({
  store: () => openGrants(file),
  workspace,
  bounds: () => ({ workspace: [], records: [] }),
});
if (what === 'never') grants.add(path, 'read', 'never', 'another');
else for (const grant of grants.list()) if (grant.path === path) grants.revoke(grant.id);
grants[Symbol.dispose]();
