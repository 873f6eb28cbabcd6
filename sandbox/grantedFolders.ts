import { lstatSync } from 'node:fs';
import { basename, delimiter, isAbsolute, normalize } from 'node:path';
import { checkedFolder, homesOf, type SandboxFacts } from './facts.ts';
import { isInside } from './inside.ts';
import { exists, real } from './look.ts';
import { anchorsIn, placesIn } from './mounts.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { credentialPaths, isSecretFile } from './secretFiles.ts';

/**
 * Something outside of the workspace that the user let the agent have: a folder, or a single file. `path` has no links.
 * `none` lies in one that may be read, and is hidden all the same.
 */
export interface GrantedFolder {
  readonly path: string;
  readonly access: 'read' | 'write' | 'none';
}

/** What a grant must not reach, besides what it never may. Absolute paths. */
export interface GrantBounds {
  readonly workspace: readonly string[];
  /** Cordon's own records and the editor's settings: neither holding one nor lying in one. */
  readonly records: readonly string[];
}

/**
 * The real path of a folder or file that may be granted. Throws `sandbox.folderMissing`, `sandbox.folderTooWide` or
 * `sandbox.notGrantable` for what may not be: a whole home, system folders, credentials, Cordon's own records; and for
 * writing, what runs by itself later or what the walls are built from.
 */
export function checkGrant(
  given: string,
  access: 'read' | 'write',
  { workspace, records }: GrantBounds,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (given.includes('\0')) throw sandboxErrors.invalidText('The path');
  if (!isAbsolute(given) || !exists(given)) throw sandboxErrors.folderMissing(given);
  const path = real(normalize(given));
  const homes = [...homesOf(environment), '/root', ...(/^\/(?:home|Users)\/[^/]+/.exec(path) ?? [])];
  const stat = lstatSync(path);
  if (stat.isDirectory()) for (const record of records) checkedFolder(path, homes, record);
  else if (!stat.isFile())
    throw sandboxErrors.notGrantable(path, 'it is neither a folder nor an ordinary file');
  const system = closed.find(each => isInside(path, each) || isInside(path, real(each)));
  if (system !== undefined)
    throw sandboxErrors.notGrantable(path, `it is a part of ${system}, which belongs to the system`);
  if (records.some(each => isInside(path, real(each))))
    throw sandboxErrors.notGrantable(path, "it is among the editor's and Cordon's own records");
  // Whether they exist or not: a credential may come to be there tomorrow, and the grant may stand by then.
  for (const home of homes)
    for (const credential of credentialPaths.map(each => `${home}/${each}`))
      if (isInside(path, credential) || isInside(credential, path))
        throw sandboxErrors.notGrantable(path, `credentials are kept there (${credential})`);
  if (isSecretFile(basename(path))) throw sandboxErrors.notGrantable(path, 'it may hold secrets');
  if (access === 'write') checkWriting(path, stat.isDirectory(), homes, workspace, environment);
  return path;
}

function checkWriting(
  path: string,
  isFolder: boolean,
  homes: readonly string[],
  workspace: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const refuse = (why: string) => sandboxErrors.notGrantable(path, `${why}, so it cannot be made writable`);
  if (!isFolder) throw refuse('it is a single file');
  // Whoever may write around a folder can put a link in its place, and the next mount would follow it.
  if (workspace.some(each => isInside(real(each), path))) throw refuse('it holds the workspace');
  for (const home of homes) {
    const [first = ''] = isInside(path, home) ? path.slice(home.length + 1).split('/') : [];
    if (first.startsWith('.') || first === 'bin' || first === 'Library')
      throw refuse('it is where programs keep settings and what they start');
  }
  const programs = (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).map(real);
  if (programs.some(each => isInside(each, path) || isInside(path, each)))
    throw refuse('programs are started from it');
}

/** Whatever lies in these is the system's. `/var` itself is refused as too wide, like the home folder. */
const closed = (
  '/etc /usr /bin /sbin /lib /lib32 /lib64 /libx32 /boot /dev /proc /sys /run /var/run /var/spool /var/lib ' +
  '/System /Library /private/etc /private/var/db'
).split(' ');

/**
 * Of what was granted: what one launch really shows, parents before what lies in them. Pure. Below /tmp only what lies
 * beside a workspace folder, because another command could write elsewhere in there and lead a mount astray. What is
 * the ground of another mount stays read-only.
 */
export function shownGrants(
  facts: Pick<
    SandboxFacts,
    'folders' | 'gitDirectories' | 'toolchains' | 'extraReadOnlyPaths' | 'certificateFiles' | 'state'
  >,
  granted: readonly GrantedFolder[],
  view: 'system' | 'bare',
): GrantedFolder[] {
  const anchors = anchorsIn(facts);
  const grounds = [...placesIn(facts), facts.state.home, facts.state.temporary];
  return granted
    .filter(({ path }) => {
      const isTemporary = isInside(path, '/tmp') || isInside(path, '/var/tmp');
      return (
        view === 'bare' || !isTemporary || anchors.some(anchor => path !== anchor && isInside(path, anchor))
      );
    })
    .map(each =>
      each.access === 'write' && grounds.some(ground => isInside(ground, each.path))
        ? { path: each.path, access: 'read' as const }
        : each,
    )
    .toSorted((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
}
