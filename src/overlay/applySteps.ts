import type { Entry } from './entry.ts';

/** What a path is to become. `mode` changes permissions and leaves the content. */
export type Desired =
  | { readonly kind: 'file'; readonly mode: number; readonly content: Content }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory'; readonly mode: number }
  | { readonly kind: 'mode'; readonly mode: number }
  | { readonly kind: 'nothing' };

/**
 * A host path to copy from, with the identity it must have (see `Stamp`); or the bytes themselves. Below `inside`, a
 * folder that others may write, no link is followed.
 */
export type Content =
  { readonly path: string; readonly inside?: string; readonly identity?: string } | Buffer;

export interface DesiredChange {
  readonly path: string;
  /** What must lie there for the change to be right. Null: nothing. */
  readonly expected: Entry | null;
  readonly desired: Desired;
}

/** Why a change cannot be made as things are. */
export interface Obstacle {
  readonly path: string;
  /**
   * `changed`: it is not what was expected. `exists`: something lies there now. `vanished`: it is gone. `noFolder`: the
   * folder around it is not there. `occupied`: a folder is to make room and holds more than is to go.
   * `sameName`: two names that this file system cannot tell apart.
   */
  readonly kind: 'changed' | 'exists' | 'vanished' | 'noFolder' | 'occupied' | 'sameName';
}

/** What the disk says about the paths, read in one go. */
export interface Facts {
  /** What lies at each path of the changes and of their parents. Absent: nothing. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** For each folder that is to go: the names in it. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  readonly ignoresCase: boolean;
}

/**
 * One effect. `temporary` names lie beside what they are for. Each can be tried again after a crash, and undone.
 * `identities`: of the file or link itself under `''`, or of everything in the folder that goes away as a whole.
 */
export type Step =
  | {
      readonly do: 'putAway';
      readonly path: string;
      readonly temporary: string;
      readonly identities: Readonly<Record<string, string>>;
      /** Something takes its place; else it may as well be gone already. */
      readonly replaced: boolean;
    }
  /** Puts what was staged as `temporary` (in an outer folder, when this one is new) in place, where nothing may lie. */
  | {
      readonly do: 'place';
      readonly path: string;
      readonly temporary: string;
      readonly desired: 'file' | 'symlink';
    }
  | { readonly do: 'makeFolder'; readonly path: string; readonly mode: number }
  /** Of a file. Folders get theirs at the end, when nothing has to be written into them any more. */
  | { readonly do: 'setMode'; readonly path: string; readonly from: number; readonly to: number };

export interface FolderMode {
  readonly path: string;
  readonly mode: number;
}

/** The steps in the order in which they are done. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Standing folders that must be writable meanwhile and are not, from the outside in, with the modes they have. */
  readonly loosened: readonly FolderMode[];
  /** After the last step, when what was put away is gone: folders to remove unless something else is in them. */
  readonly emptied: readonly string[];
  /** And then: permissions of folders, from the inside out. */
  readonly folderModes: readonly FolderMode[];
  /** Of the changes, those that need nothing: what they want is so already. */
  readonly done: readonly string[];
  readonly obstacles: readonly Obstacle[];
}

/**
 * Orders changes into steps: what goes away first, then new folders from the outside in, then what takes its place.
 * Pure; touches nothing.
 */
export function planSteps(changes: readonly DesiredChange[], facts: Facts, id: string): Plan {
  const obstacles: Obstacle[] = [];
  const done: string[] = [];
  const byPath = new Map(changes.map(change => [change.path, change]));
  const wanted = new Map<string, DesiredChange>();
  for (const change of changes) {
    const verdict = judge(change, facts, byPath);
    if (verdict === 'done') done.push(change.path);
    else if (verdict === 'wanted') wanted.set(change.path, change);
    else obstacles.push({ path: change.path, kind: verdict });
  }
  obstacles.push(...sameNames([...wanted.values()], facts));

  const away: Step[] = [];
  const folders: Step[] = [];
  const places: Step[] = [];
  const modes: Step[] = [];
  const emptied: string[] = [];
  const folderModes = new Map<string, number>();
  const gone = new Set<string>();
  const paths = [...wanted.keys()].sort(outerFirst);
  let count = 0;
  const temporary = (folder: string, suffix: string) => below(folder, `.cordon-${id}-${count++}.${suffix}`);

  for (const path of paths) {
    const { desired } = wanted.get(path) as DesiredChange;
    const entry = facts.entries.get(path);
    if (desired.kind === 'mode') {
      if (entry?.kind === 'directory') folderModes.set(path, desired.mode);
      else if (entry) modes.push({ do: 'setMode', path, from: modeOf(entry), to: desired.mode });
      continue;
    }
    if (entry && !isWithin(path, gone)) {
      const whole = entry.kind !== 'directory' || goesWhole(path, wanted, facts);
      if (entry.kind === 'directory' && desired.kind === 'directory') {
        folderModes.set(path, desired.mode);
        continue;
      }
      if (whole) {
        const step: Step = {
          do: 'putAway',
          path,
          temporary: temporary(parentOf(path), 'old'),
          identities: identitiesBelow(path, facts),
          replaced: desired.kind !== 'nothing',
        };
        gone.add(path);
        // A file that is replaced by a file is away for the shortest time: the next step brings it back.
        if (desired.kind === 'nothing' || desired.kind === 'directory') away.push(step);
        else places.push(step);
      } else if (desired.kind === 'nothing') emptied.unshift(path);
      else obstacles.push({ path, kind: 'occupied' });
    }
    if (desired.kind === 'directory') {
      folders.push({ do: 'makeFolder', path, mode: desired.mode | 0o700 });
      folderModes.set(path, desired.mode);
    }
    if (desired.kind === 'file' || desired.kind === 'symlink') {
      const outer = standingFolder(path, wanted, facts);
      places.push({ do: 'place', path, temporary: temporary(outer, 'new'), desired: desired.kind });
    }
  }
  const steps = [...away, ...folders, ...places, ...modes];
  const loosened = unwritable(steps, facts);
  for (const { path, mode } of loosened) if (!folderModes.has(path)) folderModes.set(path, mode);
  return {
    steps,
    loosened,
    emptied,
    folderModes: [...folderModes]
      .map(([path, mode]) => ({ path, mode }))
      .sort((one, other) => outerFirst(other.path, one.path)),
    done,
    obstacles,
  };
}

function judge(
  { path, expected, desired }: DesiredChange,
  facts: Facts,
  changes: ReadonlyMap<string, DesiredChange>,
): 'done' | 'wanted' | Obstacle['kind'] {
  const entry = facts.entries.get(path);
  if (desired.kind === 'nothing') {
    if (!entry) return 'done';
    if (!expected) return 'exists';
    if (entry.kind === 'directory' && expected.kind === 'directory') return 'wanted';
    return sameThing(entry, expected) ? 'wanted' : 'changed';
  }
  if (!standsOrComes(parentOf(path), facts, changes)) return 'noFolder';
  if (desired.kind === 'directory' && entry?.kind === 'directory')
    return entry.mode === desired.mode ? 'done' : 'wanted';
  if (!entry) return expected ? 'vanished' : 'wanted';
  if (!expected) return 'exists';
  // Permissions are set whatever the content has become.
  if (desired.kind === 'mode') {
    if (entry.kind !== expected.kind) return 'changed';
    return modeOf(entry) === desired.mode ? 'done' : 'wanted';
  }
  return sameThing(entry, expected) ? 'wanted' : 'changed';
}

/** Whether nobody wrote to it in between. */
export function sameThing(one: Entry, other: Entry): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === 'symlink' && other.kind === 'symlink') return one.target === other.target;
  return one.kind === 'directory' || one.stamp.identity === other.stamp.identity;
}

function standsOrComes(folder: string, facts: Facts, changes: ReadonlyMap<string, DesiredChange>): boolean {
  if (folder === '') return true;
  const kind = changes.get(folder)?.desired.kind ?? 'mode';
  return kind === 'mode' ? facts.entries.get(folder)?.kind === 'directory' : kind === 'directory';
}

/** Whether everything in the folder goes too, so that it can be moved away in one step. */
function goesWhole(path: string, wanted: ReadonlyMap<string, DesiredChange>, facts: Facts): boolean {
  return (facts.names.get(path) ?? []).every(name => {
    const inner = below(path, name);
    if (wanted.get(inner)?.desired.kind !== 'nothing') return false;
    return facts.entries.get(inner)?.kind !== 'directory' || goesWhole(inner, wanted, facts);
  });
}

function identitiesBelow(path: string, facts: Facts, prefix = ''): Record<string, string> {
  const entry = facts.entries.get(path);
  const identities: Record<string, string> = { [prefix]: identityOf(entry) };
  if (entry?.kind === 'directory')
    for (const name of facts.names.get(path) ?? [])
      Object.assign(identities, identitiesBelow(below(path, name), facts, below(prefix, name)));
  return identities;
}

/** What tells that something is still the same after it was renamed. Of a folder only that it is one. */
export function identityOf(entry: Entry | undefined): string {
  if (!entry) return 'nothing';
  // In well-formed characters, so that it survives being stored.
  if (entry.kind === 'symlink') return `symlink ${JSON.stringify(entry.target)}`;
  return entry.kind === 'directory' ? 'directory' : `${entry.kind} ${entry.stamp.identity}`;
}

/** The innermost folder around the path that stands before and after. */
function standingFolder(path: string, wanted: ReadonlyMap<string, DesiredChange>, facts: Facts): string {
  let folder = parentOf(path);
  while (folder !== '' && (facts.entries.get(folder)?.kind !== 'directory' || isReplaced(folder, wanted)))
    folder = parentOf(folder);
  return folder;
}

function isReplaced(folder: string, wanted: ReadonlyMap<string, DesiredChange>): boolean {
  for (let each = folder; each !== ''; each = parentOf(each)) {
    const kind = wanted.get(each)?.desired.kind;
    if (kind !== undefined && kind !== 'directory' && kind !== 'mode') return true;
  }
  return false;
}

/** Standing folders in which steps happen and whose owner may not write or enter. */
function unwritable(steps: readonly Step[], facts: Facts): Plan['loosened'] {
  const folders = new Set<string>();
  for (const step of steps) {
    if (step.do === 'setMode') continue;
    folders.add(parentOf(step.path));
    if ('temporary' in step) folders.add(parentOf(step.temporary));
  }
  return [...folders].sort(outerFirst).flatMap(path => {
    const entry = facts.entries.get(path);
    return entry?.kind === 'directory' && (entry.mode & 0o300) !== 0o300 ? [{ path, mode: entry.mode }] : [];
  });
}

function sameNames(changes: readonly DesiredChange[], facts: Facts): Obstacle[] {
  if (!facts.ignoresCase) return [];
  const seen = new Map<string, string>();
  return changes.flatMap(({ path, desired }): Obstacle[] => {
    if (desired.kind === 'nothing') return [];
    const folded = path.normalize('NFC').toLowerCase();
    if (seen.has(folded) && seen.get(folded) !== path) return [{ path, kind: 'sameName' }];
    seen.set(folded, path);
    return [];
  });
}

function modeOf(entry: Entry): number {
  return 'mode' in entry ? entry.mode : 0o777;
}

function isWithin(path: string, folders: ReadonlySet<string>): boolean {
  for (let each = parentOf(path); each !== ''; each = parentOf(each)) if (folders.has(each)) return true;
  return false;
}

function outerFirst(one: string, other: string): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')];
  return a < b ? -1 : a > b ? 1 : 0;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
