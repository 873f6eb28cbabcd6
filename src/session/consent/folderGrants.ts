import { Emitter } from '../../base/emitter.ts';
import type { GrantStore, StoredGrant } from '../../store/grants.ts';
import { checkGrant, type GrantBounds, type GrantedFolder } from '../../../sandbox/grantedFolders.ts';
import { isInside } from '../../../sandbox/inside.ts';

/** What the user said of one path outside of the workspace. Times in milliseconds since the epoch. */
export interface FolderGrant {
  readonly id: string;
  /** A folder, or a single file. Absolute, without links. */
  readonly path: string;
  readonly access: 'read' | 'write';
  /** `once` to the end of the turn, `today` to midnight; neither outlives a restart. */
  readonly answer: 'once' | 'today' | 'always' | 'never';
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly uses: number;
  readonly expiresAt: number | null;
}

interface Options {
  /** Opens the store when it is first needed. */
  readonly store: () => GrantStore;
  /** Identifies the workspace: what is granted in one counts for no other. */
  readonly workspace: string;
  readonly bounds: () => GrantBounds;
  readonly now?: () => number;
}

/** In memory: of one conversation's turn, or of this day in this window. */
interface Temporary extends FolderGrant {
  readonly conversation?: string;
}

/**
 * What the agent may have outside of the workspace, and what it never may, over all conversations of a window. Nothing
 * is open until the user said so; of several answers the strictest counts. Writing includes reading.
 */
export class FolderGrants implements Disposable {
  /** A grant came, went or was used. */
  readonly changed = new Emitter<void>();
  /** This does not hold any more: whatever runs on it must end. */
  readonly revoked = new Emitter<FolderGrant>();
  #temporary: Temporary[] = [];
  #store: GrantStore | undefined;
  /** As last looked at. */
  #stored: readonly FolderGrant[] = [];
  #serial = 0;
  #midnight: NodeJS.Timeout | undefined;

  constructor(private readonly options: Options) {}

  /** Every answer in force, oldest first. Throws CordonError `grants.open`. */
  list(): FolderGrant[] {
    return [...this.#read(), ...this.#lasting()].toSorted((a, b) => a.createdAt - b.createdAt);
  }

  /** What holds for a real path in a conversation: the grant that opens it, the refusal that closes it, or nothing. */
  find(path: string, access: 'read' | 'write', conversation: string): FolderGrant | undefined {
    const about = this.#of(conversation).filter(each => isInside(path, each.path));
    return (
      about.find(each => each.answer === 'never' && (each.access === 'read' || access === 'write')) ??
      about.find(each => each.answer !== 'never' && (each.access === 'write' || access === 'read'))
    );
  }

  /** What commands of a conversation see. `lasting` leaves out what ends with the turn. */
  visible(conversation: string, lasting: boolean): GrantedFolder[] {
    const all = this.#of(conversation);
    const refused = all.filter(each => each.answer === 'never');
    const granted = all.filter(each => each.answer !== 'never' && !(lasting && each.answer === 'once'));
    const paths = [...new Set(granted.map(each => each.path))];
    const shown = paths
      .filter(path => !refused.some(each => each.access === 'read' && isInside(path, each.path)))
      .map((path): GrantedFolder => {
        const isWritable =
          granted.some(each => each.path === path && each.access === 'write') &&
          !refused.some(each => isInside(path, each.path) || isInside(each.path, path));
        return { path, access: isWritable ? 'write' : 'read' };
      });
    const hidden = refused.filter(
      ({ path, access }) => access === 'read' && shown.some(each => isInside(path, each.path)),
    );
    return [...shown, ...hidden.map(({ path }): GrantedFolder => ({ path, access: 'none' }))];
  }

  /** The real path, where it may be granted at all. Throws a `sandbox.*` CordonError where not. */
  check(path: string, access: 'read' | 'write'): string {
    return checkGrant(path, access, this.options.bounds());
  }

  /** Folders that were allowed here before. */
  recent(): string[] {
    return this.#open().recent(this.options.workspace);
  }

  /** Takes down an answer. `path` was checked. Throws when "always" or "never" cannot be kept. */
  add(path: string, access: 'read' | 'write', answer: FolderGrant['answer'], conversation: string): void {
    const createdAt = this.#now();
    if (answer === 'always' || answer === 'never') {
      this.#open().put(this.options.workspace, { path, access, answer, createdAt });
    } else {
      this.#temporary.push({
        id: `t${(this.#serial += 1)}`,
        path,
        access,
        answer,
        createdAt,
        lastUsedAt: null,
        uses: 0,
        expiresAt: answer === 'today' ? nextMidnight(createdAt) : null,
        ...(answer === 'once' ? { conversation } : {}),
      });
      if (answer === 'today') this.#watchMidnight();
    }
    if (answer !== 'never') this.#tryStore(store => store.remember(this.options.workspace, path, createdAt));
    this.changed.emit();
  }

  /** Counts a use of the grant that opens this path. */
  use(grant: FolderGrant): void {
    const at = this.#now();
    this.#temporary = this.#temporary.map(each =>
      each.id === grant.id ? { ...each, uses: each.uses + 1, lastUsedAt: at } : each,
    );
    const stored = /^s(\d+)$/.exec(grant.id)?.[1];
    if (stored !== undefined) this.#tryStore(store => store.use(Number(stored), at));
    this.changed.emit();
  }

  /** Takes an answer back; what runs on it ends. */
  revoke(id: string): void {
    const grant = this.list().find(each => each.id === id);
    if (grant === undefined) return;
    const stored = /^s(\d+)$/.exec(id)?.[1];
    if (stored === undefined) this.#temporary = this.#temporary.filter(each => each.id !== id);
    else {
      this.#open().delete(Number(stored));
      this.#stored = this.#stored.filter(each => each.id !== id);
    }
    if (grant.answer !== 'never') this.revoked.emit(grant);
    this.changed.emit();
  }

  /** What was granted for this turn only is over. */
  endTurn(conversation: string): void {
    const before = this.#temporary.length;
    this.#temporary = this.#temporary.filter(each => each.conversation !== conversation);
    if (this.#temporary.length !== before) this.changed.emit();
  }

  /** Everything that would end with a restart ends now. */
  dropTemporary(): void {
    const dropped = this.#temporary;
    this.#temporary = [];
    for (const grant of dropped) this.revoked.emit(grant);
    if (dropped.length > 0) this.changed.emit();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#midnight);
    this.#store?.[Symbol.dispose]();
  }

  /** Throws where the store cannot be read: as long as the refusals are not known, nothing is open. */
  #of(conversation: string): Temporary[] {
    const stored = this.#read();
    const own = this.#lasting().filter(each => (each.conversation ?? conversation) === conversation);
    return [...stored, ...own];
  }

  #lasting(): Temporary[] {
    const now = this.#now();
    return this.#temporary.filter(each => each.expiresAt === null || now < each.expiresAt);
  }

  #open(): GrantStore {
    if (this.#store !== undefined) return this.#store;
    this.#store = this.options.store();
    this.#store.changed.on(() => this.#follow());
    return this.#store;
  }

  /** What is stored now. What another window of this workspace took back since the last look does not hold here either. */
  #read(): readonly FolderGrant[] {
    const before = this.#stored;
    const now = (this.#stored = this.#open().list(this.options.workspace).map(listed));
    const isLeft = (grant: FolderGrant) =>
      now.some(({ id, answer }) => id === grant.id && answer === grant.answer);
    const gone = before.filter(grant => grant.answer !== 'never' && !isLeft(grant));
    if (gone.length > 0) queueMicrotask(() => gone.forEach(grant => this.revoked.emit(grant)));
    return now;
  }

  /** Something was stored, here or by another window. */
  #follow(): void {
    try {
      this.#read();
    } catch {
      // Whoever needs to know next says so.
    }
    this.changed.emit();
  }

  /** For what is good to have: a count, a recent folder. */
  #tryStore(work: (store: GrantStore) => void): void {
    try {
      work(this.#open());
    } catch {
      // The next answer that must be kept says so.
    }
  }

  #watchMidnight(): void {
    clearTimeout(this.#midnight);
    const now = this.#now();
    this.#midnight = setTimeout(
      () => {
        const over = this.#temporary.filter(each => each.expiresAt !== null && each.expiresAt <= this.#now());
        this.#temporary = this.#temporary.filter(each => !over.includes(each));
        for (const grant of over) this.revoked.emit(grant);
        if (over.length > 0) this.changed.emit();
        if (this.#temporary.some(each => each.expiresAt !== null)) this.#watchMidnight();
      },
      // A clock that was set, or a machine that slept, is met within the hour.
      Math.min(nextMidnight(now) - now, 60 * 60 * 1_000) + 50,
    ).unref();
  }

  #now(): number {
    return (this.options.now ?? Date.now)();
  }
}

/** The end of the local day. */
function nextMidnight(at: number): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}

function listed(stored: StoredGrant): FolderGrant {
  return { ...stored, id: `s${stored.id}`, expiresAt: null };
}
