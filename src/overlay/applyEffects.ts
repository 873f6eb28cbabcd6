import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { encodePath, readNames } from '../base/fileName.ts';
import { AnchoredFolder, giveAt, setModeAt } from './anchoredFolder.ts';
import { identityOf, type Content, type Desired, type Obstacle, type Step } from './applySteps.ts';
import { openToRead } from './content.ts';
import { isCode } from './errorCodes.ts';
import { entryOf, readEntry, type Entry } from './entry.ts';

/** Something came in the way: the user, most likely. What was done is undone. */
export class InTheWay extends Error {
  constructor(readonly obstacle: Obstacle) {
    super(`${obstacle.kind}: ${obstacle.path}`);
  }
}

/**
 * The effects that steps are made of, on one folder. Each may meet what a crashed run left: it looks first, and does
 * what is missing. `before` is called ahead of every effect on the disk.
 */
export class ApplyEffects {
  constructor(
    private readonly folder: AnchoredFolder,
    private readonly before: (effect: string) => void,
  ) {}

  /** Makes a file or link under a temporary name. Returns its identity. Throws `InTheWay` when the content changed. */
  stage(temporary: string, path: string, desired: Extract<Desired, { kind: 'file' | 'symlink' }>): string {
    this.before(`stage ${path}`);
    if (desired.kind === 'symlink') {
      this.folder.at(temporary, place => symlinkSync(encodePath(desired.target), encodePath(place)));
      this.#give(temporary);
    } else {
      const owner = this.entry(path)
        ? this.folder.at(path, place => lstatSync(encodePath(place)))
        : this.folder.owner;
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const file = this.folder.at(temporary, place => openSync(encodePath(place), flags, 0o600));
      try {
        if (!writeContent(file, desired.content)) throw new InTheWay({ path, kind: 'changed' });
        if (owner) keepOwner(file, owner);
        fchmodSync(file, desired.mode);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
    return identityOf(this.entry(temporary));
  }

  do(step: Step, staged: Readonly<Record<string, string>>): void {
    this.before(`${step.do} ${step.path}`);
    switch (step.do) {
      case 'putAway':
        return this.#putAway(step);
      case 'place':
        return this.#place(step, staged[step.temporary]);
      case 'makeFolder':
        return this.#makeFolder(step);
      case 'setMode':
        if (!this.entry(step.path)) throw new InTheWay({ path: step.path, kind: 'vanished' });
        return this.setMode(step.path, step.to);
    }
  }

  /** Returns false when something of the user's is where it was: that stays, and the earlier content is in the trash. */
  undo(step: Step, staged: Readonly<Record<string, string>>): boolean {
    this.before(`undo ${step.do} ${step.path}`);
    switch (step.do) {
      case 'putAway':
        if (!this.entry(step.temporary)) return true;
        return this.#moveBack(step.temporary, step.path);
      case 'place':
        return this.#takeBack(step, staged[step.temporary]);
      case 'makeFolder':
        this.removeIfEmpty(step.path);
        return true;
      case 'setMode': {
        const entry = this.entry(step.path);
        if (entry && 'mode' in entry && entry.mode === step.to) this.setMode(step.path, step.from);
        return true;
      }
    }
  }

  /** Sets permissions without following a link; a missing path is left alone. */
  setMode(path: string, mode: number): void {
    this.before(`mode ${path}`);
    this.#optional(() => this.folder.at(path, place => setModeAt(place, mode)));
  }

  removeIfEmpty(path: string): void {
    this.before(`remove folder ${path}`);
    try {
      this.folder.at(path, place => rmdirSync(encodePath(place)));
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'overlay.moved')) throw error;
    }
  }

  /** Removes a file, a link, or a folder with everything in it. */
  removeWhole(path: string): void {
    const entry = this.entry(path);
    if (!entry) return;
    this.before(`remove ${path}`);
    if (entry.kind !== 'directory') return this.folder.at(path, place => unlinkSync(encodePath(place)));
    if ((entry.mode & 0o700) !== 0o700) this.setMode(path, 0o700);
    for (const name of this.names(path)) this.removeWhole(`${path}/${name}`);
    this.folder.at(path, place => rmdirSync(encodePath(place)));
  }

  *filesBelow(path: string): Generator<{ path: string; mode: number }> {
    const entry = this.entry(path);
    if (entry?.kind === 'file') yield { path, mode: entry.mode };
    if (entry?.kind === 'directory')
      for (const name of this.names(path)) yield* this.filesBelow(`${path}/${name}`);
  }

  sync(path: string): void {
    this.before(`sync ${path}`);
    this.#optional(() => this.folder.open(path, descriptor => fsyncSync(descriptor)));
  }

  entry(path: string): Entry | undefined {
    return this.#optional(() => this.folder.at(path, place => readEntry(place)));
  }

  names(path: string): string[] {
    return this.folder.at(path, place => readNames(place));
  }

  #putAway({ path, temporary, identities, replaced }: Extract<Step, { do: 'putAway' }>): void {
    if (!this.entry(temporary)) {
      const entry = this.entry(path);
      if (!entry && !replaced) return;
      if (!entry) throw new InTheWay({ path, kind: 'vanished' });
      if (identityOf(entry) !== identities['']) throw new InTheWay({ path, kind: 'changed' });
      this.#rename(path, temporary);
    }
    // Looked at again where nobody else looks: a save that came in between is seen here.
    this.checkAway(temporary, path, identities);
  }

  /** Throws `InTheWay` when what was put away is not what it was: a program had it open and wrote to it since. */
  checkAway(temporary: string, path: string, identities: Readonly<Record<string, string>>): void {
    if (!this.entry(temporary)) return;
    this.#check(temporary, path, identities);
    const count = this.#count(temporary);
    if (count !== Object.keys(identities).length) throw new InTheWay({ path, kind: 'occupied' });
  }

  #check(root: string, path: string, identities: Readonly<Record<string, string>>): void {
    for (const [name, identity] of Object.entries(identities)) {
      const there = name === '' ? root : `${root}/${name}`;
      if (identityOf(this.entry(there)) !== identity)
        throw new InTheWay({ path: name === '' ? path : `${path}/${name}`, kind: 'changed' });
    }
  }

  #count(path: string): number {
    if (this.entry(path)?.kind !== 'directory') return 1;
    return this.names(path).reduce((sum, name) => sum + this.#count(`${path}/${name}`), 1);
  }

  /** A link and an unlink instead of a rename: a rename would overwrite what appeared there meanwhile. */
  #place({ path, temporary }: Extract<Step, { do: 'place' }>, identity: string | undefined): void {
    if (!this.entry(temporary)) return;
    const entry = this.entry(path);
    if (entry && identityOf(entry) !== identity) throw new InTheWay({ path, kind: 'exists' });
    if (!entry) this.#link(temporary, path);
    this.before(`unlink ${temporary}`);
    if (this.entry(temporary)) this.folder.at(temporary, place => unlinkSync(encodePath(place)));
  }

  #link(from: string, to: string): void {
    try {
      this.folder.at(from, source =>
        this.folder.at(to, target => linkSync(encodePath(source), encodePath(target))),
      );
    } catch (error) {
      if (isCode(error, 'EEXIST')) throw new InTheWay({ path: to, kind: 'exists' });
      if (isCode(error, 'overlay.moved')) throw new InTheWay({ path: to, kind: 'noFolder' });
      // Some file systems have no links.
      if (!isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error;
      if (this.entry(to)) throw new InTheWay({ path: to, kind: 'exists' });
      this.#rename(from, to);
    }
  }

  #makeFolder({ path, mode }: Extract<Step, { do: 'makeFolder' }>): void {
    try {
      this.folder.at(path, place => mkdirSync(encodePath(place), 0o700));
    } catch (error) {
      if (isCode(error, 'overlay.moved')) throw new InTheWay({ path, kind: 'noFolder' });
      if (!isCode(error, 'EEXIST')) throw error;
      if (this.entry(path)?.kind !== 'directory') throw new InTheWay({ path, kind: 'exists' });
    }
    this.#give(path);
    this.setMode(path, mode);
  }

  #give(path: string): void {
    const { owner } = this.folder;
    if (owner) this.folder.at(path, place => giveAt(place, owner));
  }

  /** Takes a placed file or link away, unless the user wrote to it since. */
  #takeBack({ path, temporary }: Extract<Step, { do: 'place' }>, identity: string | undefined): boolean {
    const entry = this.entry(path);
    if (!entry || identityOf(entry) !== identity) {
      // Not placed, or not ours any more.
      return !entry || this.entry(temporary) !== undefined;
    }
    if (this.entry(temporary)) this.folder.at(temporary, place => unlinkSync(encodePath(place)));
    this.before(`take back ${path}`);
    this.#rename(path, temporary);
    if (identityOf(this.entry(temporary)) === identity) return true;
    return !this.#moveBack(temporary, path);
  }

  /** Moves it back unless something lies there; then it stays put away. */
  #moveBack(temporary: string, path: string): boolean {
    if (this.entry(path)) return false;
    if (this.entry(temporary)?.kind === 'directory') {
      this.#rename(temporary, path);
      return true;
    }
    try {
      this.#link(temporary, path);
    } catch (error) {
      if (error instanceof InTheWay) return false;
      throw error;
    }
    this.before(`unlink ${temporary}`);
    if (this.entry(temporary)) this.folder.at(temporary, place => unlinkSync(encodePath(place)));
    return true;
  }

  #rename(from: string, to: string): void {
    this.folder.at(from, source =>
      this.folder.at(to, target => renameSync(encodePath(source), encodePath(target))),
    );
  }

  #optional<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'overlay.moved')) return undefined;
      throw error;
    }
  }
}

function openInside(folder: string, path: string): number {
  using anchored = new AnchoredFolder(folder);
  return anchored.at(path, openToRead);
}

/** False when the source is not what it was when it was looked at, or did not stay so while it was read. */
function writeContent(file: number, content: Content): boolean {
  if (Buffer.isBuffer(content)) {
    for (let written = 0; written < content.length;) written += writeSync(file, content, written);
    return true;
  }
  const source = content.inside ? openInside(content.inside, content.path) : openToRead(content.path);
  try {
    const matches = () =>
      content.identity === undefined ||
      entryOf(fstatSync(source, { bigint: true }), content.path).stamp.identity === content.identity;
    if (!matches()) return false;
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (let read; (read = readSync(source, buffer, 0, buffer.length, null)) > 0;)
      for (let written = 0; written < read;) written += writeSync(file, buffer, written, read - written);
    return matches();
  } finally {
    closeSync(source);
  }
}

function keepOwner(file: number, { uid, gid }: { uid: number; gid: number }): void {
  const now = fstatSync(file);
  if (now.uid === uid && now.gid === gid) return;
  try {
    fchownSync(file, uid, gid);
  } catch {
    // Only root may give files away; a group one belongs to can be kept at least.
    try {
      fchownSync(file, -1, gid);
    } catch {
      // Nor that: it is the user's own file then, like every file the user saves.
    }
  }
}
