import { AnchoredFolder } from '../anchoredFolder.ts';
import { parentOf, type Desired, type DesiredChange } from '../applySteps.ts';
import { sameHeld, type Held } from '../checkpoints.ts';
import type { Entry } from '../entry.ts';
import { lookAt } from './mirror.ts';

/** The folder in which the agent works, the one it goes back to, and where contents of checkpoints lie. */
export interface Restored {
  readonly worked: string;
  readonly origin: string;
  readonly contentPath: (hash: string) => string;
}

/**
 * What bringing a folder back to a checkpoint asks of it. Both maps say, by path, what it holds of its own, now and then;
 * what is in neither is as `origin` has it.
 */
export function restoringChanges(
  { worked, origin, contentPath }: Restored,
  now: ReadonlyMap<string, Held>,
  target: ReadonlyMap<string, Held>,
): DesiredChange[] {
  const changes = new Map<string, Desired>();
  for (const path of new Set([...now.keys(), ...target.keys()])) {
    const wanted = target.get(path);
    if (wanted && now.has(path) && sameHeld(now.get(path), wanted)) continue;
    changes.set(path, wanted ? desiredHeld(wanted, contentPath) : asIn(origin, path));
  }
  return complete(worked, changes);
}

/** What making these paths as `origin` has them asks of the folder. */
export function revertingChanges(worked: string, origin: string, paths: readonly string[]): DesiredChange[] {
  return complete(worked, new Map(paths.map(path => [path, asIn(origin, path)])));
}

/** With the folders around what is to come, and what is expected to lie there as it lies there now. */
function complete(worked: string, changes: Map<string, Desired>): DesiredChange[] {
  using root = new AnchoredFolder(worked);
  for (const [path, desired] of changes) {
    if (desired.kind === 'nothing') continue;
    for (let outer = parentOf(path); outer !== ''; outer = parentOf(outer))
      if ((changes.get(outer)?.kind ?? 'nothing') === 'nothing' && lookAt(root, outer)?.kind !== 'directory')
        changes.set(outer, { kind: 'directory', mode: 0o755 });
  }
  return [...changes].map(([path, desired]) => ({ path, expected: lookAt(root, path) ?? null, desired }));
}

function asIn(folder: string, path: string): Desired {
  using root = new AnchoredFolder(folder);
  const entry = lookAt(root, path);
  return entry ? desiredEntry(folder, path, entry) : { kind: 'nothing' };
}

function desiredEntry(folder: string, path: string, entry: Entry): Desired {
  switch (entry.kind) {
    case 'file': {
      const content = { path, inside: folder, identity: entry.stamp.identity };
      return { kind: 'file', mode: entry.mode, content };
    }
    case 'directory':
      return { kind: 'directory', mode: entry.mode };
    case 'symlink':
      return { kind: 'symlink', target: entry.target };
    case 'special':
      return { kind: 'nothing' };
  }
}

function desiredHeld(held: Held, contentPath: (hash: string) => string): Desired {
  switch (held.kind) {
    case 'whiteout':
      return { kind: 'nothing' };
    case 'directory':
      return { kind: 'directory', mode: held.mode };
    case 'symlink':
      return { kind: 'symlink', target: held.target };
    case 'file':
      return { kind: 'file', mode: held.mode, content: { path: contentPath(held.content) } };
  }
}
