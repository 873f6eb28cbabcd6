import { execFile } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import type { SandboxFacts } from './facts.ts';
import { FolderWatch, type Look } from './folderWatch.ts';
import { isInside } from './inside.ts';
import { refreshView } from './holder.ts';
import { real, statOf } from './look.ts';
import { isAllowed } from './mounts.ts';
import type { LaunchRequest, SandboxOptions } from './sandbox.ts';
import { shownInView } from './shownInView.ts';
import { standStill } from './standStill.ts';

/** A process that must not read what appears after it started. */
interface Reader {
  readonly exited: Promise<unknown>;
  /** Its files, as the host reaches them: `/proc/PID/root`. Undefined when it is over. */
  root(): string | undefined;
  /** Its namespace of process numbers. Undefined when it is over. */
  namespace(): string | undefined;
  /** Ends it with the sentence that tells why. */
  endFor(why: string): void;
}

type Request = Pick<LaunchRequest, 'writableFolders' | 'grantedFolders' | 'allowedPaths'>;

interface Watched {
  readonly reader: Reader;
  readonly request: Request;
  /** Secrets that were there when it started. */
  readonly known: ReadonlySet<string>;
}

/**
 * Hides secret files that the user makes, or makes anew, while something runs. Such a file is covered in the file
 * system of the session's holder, and from there the cover reaches every process, for theirs are copies of it that
 * follow. Who is not reached is ended. Covers are lifted when all that had started before is over: what starts later
 * has its own.
 *
 * A mounted view may know for a while that there is no such file, and nothing can be covered that is not there; it
 * would come up with whatever makes the view look anew. So it is made to look at once, with all that run standing
 * still until the file is covered, and again before anything else makes it look.
 */
export class LateSecrets implements Disposable {
  readonly #watched = new Set<Watched>();
  readonly #covered = new Set<string>();
  /** What a command made, or may have made: it knows what is in it. */
  readonly #theirs = new Set<string>();
  /** What was covered once, and so is the user's. */
  readonly #users = new Set<string>();
  /** What processes that run now may see, as the user said, and how many of them. */
  readonly #open = new Map<string, number>();
  /** In their places the view has something else, however often it looks. */
  readonly #behind = new Set<string>();
  readonly #attending: Disposable | undefined;
  /** How often the view looked anew, and how often before a launch began. */
  #looks = 0;
  readonly #looksBefore = new WeakMap<Request, number>();
  #watch: FolderWatch | undefined;
  #enter: readonly string[] = [];
  /** One thing after another. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly facts: Pick<SandboxFacts, 'folders' | 'state'>,
    private readonly options: Pick<SandboxOptions, 'copyOnWrite'>,
    private readonly look: Look,
  ) {
    this.#attending = options.copyOnWrite?.refresh?.attend(remount => this.#aroundRefresh(remount));
  }

  /**
   * Watches until `reader` is over. `known` are the secrets that were there when it started; `enter` joins the file
   * system that its own is a copy of.
   */
  add(reader: Reader, request: Request, known: readonly string[], enter: readonly string[]): void {
    const watched = { reader, request, known: new Set(known) };
    this.#watched.add(watched);
    this.#enter = enter;
    // What came up while it was on its way was not there for it to be hidden, and it was not there to be reached.
    if (this.#looksBefore.get(request) !== this.#looks)
      void this.#queue(async () => this.#hide((await this.look()).secrets));
    this.#watch ??= new FolderWatch(
      this.look,
      paths => void this.#queue(() => this.#hide(paths)),
      error => this.#endAll(error),
    );
    void reader.exited.then(() => {
      this.#watched.delete(watched);
      if (this.#watched.size > 0) return;
      this.#unwatch();
      void this.#queue(() => this.#uncover([...this.#covered]));
    });
  }

  /** Before a launch: what the user allowed by name for it is seen until `close`. */
  async open(request: Request): Promise<{ close: () => void }> {
    await this.#work;
    this.#looksBefore.set(request, this.#looks);
    const allowed = [...this.#covered].filter(path => isAllowed(path, request));
    for (const path of allowed) this.#open.set(path, (this.#open.get(path) ?? 0) + 1);
    await this.#queue(() => this.#uncover(allowed));
    return {
      close: () => {
        for (const path of allowed) this.#open.set(path, (this.#open.get(path) ?? 1) - 1);
        void this.#queue(() => this.#hide(allowed));
      },
    };
  }

  [Symbol.dispose](): void {
    this.#unwatch();
    this.#attending?.[Symbol.dispose]();
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #queue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#endAll(error));
    return this.#work;
  }

  /** What cannot be watched over does not run. */
  #endAll(error: unknown): undefined {
    for (const { reader } of this.#watched)
      reader.endFor(
        `It was ended because secret files that come to be can no longer be hidden from it: ${error instanceof Error ? error.message : String(error)}`,
      );
  }

  /** Everything that is there is covered before the view looks anew, and what came up by it afterwards. */
  async #aroundRefresh(remount: () => Promise<void>): Promise<void> {
    let secrets: readonly string[] = [];
    await this.#queue(async () => {
      if (this.#watched.size === 0) return;
      // What was in front of them may be gone: that is what a view is refreshed for.
      this.#behind.clear();
      ({ secrets } = await this.look());
      await this.#hide(secrets);
    });
    this.#looks += 1;
    await remount();
    await this.#queue(() => this.#hide(secrets));
  }

  async #hide(paths: readonly string[]): Promise<void> {
    const unseen: string[] = [];
    // What a link names is hidden where it really is. A folder of such a name may be a guard of ours.
    for (const path of paths.map(real)) {
      const isFile = statOf(path)?.isFile() ?? false;
      if (!isFile || (this.#open.get(path) ?? 0) > 0 || this.#isTheirs(path)) continue;
      if (this.#seeing(path).length > 0) await this.#cover(path);
      else if (this.#mayComeUp(path)) unseen.push(path);
    }
    if (unseen.length > 0) await this.#coverUnseen(unseen);
  }

  async #cover(path: string): Promise<void> {
    const { hiddenFile } = this.facts.state;
    if (await this.#inHolder('mount', '--bind', hiddenFile, path)) this.#covered.add(path);
    this.#users.add(path);
    for (const { reader } of this.#seeing(path)) reader.endFor(couldNotHide(path));
  }

  /**
   * 1. All that must not read them stand still, or are ended;
   * 2. the view looks anew;
   * 3. what it shows of them now is covered;
   * 4. they go on.
   */
  async #coverUnseen(paths: readonly string[]): Promise<void> {
    const view = this.options.copyOnWrite;
    const mustNot = [...this.#watched].filter(({ request }) => paths.some(path => !isAllowed(path, request)));
    const namespaces = mustNot.flatMap(({ reader }) => reader.namespace() ?? []);
    const goOn = await standStill(new Set(namespaces));
    try {
      if (goOn === undefined) for (const { reader } of mustNot) reader.endFor(couldNotHide(paths[0] ?? ''));
      const folders = view?.folders.filter(folder => paths.some(path => isInside(path, folder))) ?? [];
      this.#looks += 1;
      if (view?.holder !== undefined) await refreshView(view.holder, folders);
      const shown = await shownInView(paths, view);
      for (const path of paths) {
        if (shown.includes(path)) await this.#cover(path);
        else this.#behind.add(path);
      }
    } finally {
      goOn?.();
    }
  }

  /** Whether a mounted view only does not know yet that there is such a file. */
  #mayComeUp(path: string): boolean {
    const view = this.options.copyOnWrite;
    if (view?.holder === undefined || this.#behind.has(path)) return false;
    if (!view.folders.some(folder => isInside(path, folder))) return false;
    const names = namesOf(path, this.facts.folders);
    return [...this.#watched].some(({ reader, request }) => {
      const root = reader.root();
      if (root === undefined || isAllowed(path, request)) return false;
      return names.some(name => lookAt(root + name) === undefined);
    });
  }

  /** Processes that see what is at this path although it was not allowed them. */
  #seeing(path: string): Watched[] {
    const hidden = statSync(this.facts.state.hiddenFile);
    const names = namesOf(path, this.facts.folders);
    return [...this.#watched].filter(({ reader, request }) => {
      const root = reader.root();
      if (root === undefined || isAllowed(path, request)) return false;
      return names
        .map(name => lookAt(root + name))
        .some(each => each !== undefined && (each.ino !== hidden.ino || each.dev !== hidden.dev));
    });
  }

  #isTheirs(path: string): boolean {
    if (this.#users.has(path)) return false;
    // In a copy it is theirs as long as the copy has it; after that the user's own shows again.
    for (const [folder, upper] of this.options.copyOnWrite?.changes ?? [])
      if (isInside(path, folder)) return isThere(upper + path.slice(folder.length));
    if (!this.#theirs.has(path) && this.#mayBeTheirs(path)) this.#theirs.add(path);
    return this.#theirs.has(path);
  }

  #mayBeTheirs(path: string): boolean {
    const folder = this.facts.folders.findLast(({ realPath }) => isInside(path, realPath));
    const isWritable = ({ writableFolders, grantedFolders = [] }: Request) =>
      writableFolders.some(each => each === folder?.path || each === folder?.realPath) ||
      grantedFolders.some(each => each.access === 'write' && isInside(path, each.path));
    return [...this.#watched].some(({ request, known }) => !known.has(path) && isWritable(request));
  }

  async #uncover(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await this.#inHolder('umount', path);
      this.#covered.delete(path);
    }
  }

  async #inHolder(...command: string[]): Promise<boolean> {
    const [program, ...args] = this.#enter;
    if (program === undefined) return false;
    try {
      await promisify(execFile)(program, [...args, ...command], {
        cwd: '/',
        env: environment,
        timeout: 5_000,
      });
      return true;
    } catch {
      return false;
    }
  }
}

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** A linked folder is shown at two paths. */
function namesOf(path: string, folders: SandboxFacts['folders']): string[] {
  const linked = folders.filter(each => each.path !== each.realPath && isInside(path, each.realPath));
  return [path, ...linked.map(each => each.path + path.slice(each.realPath.length))];
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Where the copy has something else than the folder around it, it has no such file.
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return false;
    throw error;
  }
}

function couldNotHide(path: string): string {
  return `It was ended because ${path} came to be, which looks like a secret and could not be hidden from it.`;
}

/** Undefined where nothing is. What cannot be looked at is not nothing. */
function lookAt(path: string): { readonly ino: number; readonly dev: number } | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOTDIR' || code === 'ESRCH' ? undefined : { ino: -1, dev: -1 };
  }
}
