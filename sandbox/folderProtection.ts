import { lstatSync } from 'node:fs';
import type { SandboxFacts } from './facts.ts';
import { type GrantedFolder, shownGrants } from './grantedFolders.ts';
import { Guards } from './guards.ts';
import { hostDoors } from './hostDoors.ts';
import { isInside } from './inside.ts';
import { exists, isFolder, real } from './look.ts';
import { isAllowed, placesIn, sourceOf } from './mounts.ts';
import type { LaunchRequest, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { shownInView, waysTo } from './shownInView.ts';
import { pinnedFolders, WorkspaceScanner, type FolderScan, type WorkspaceScan } from './workspaceScan.ts';

/** What one launch has to hide and keep in the folders, and the guards that stand until `release`. */
export interface Protection {
  readonly scan: WorkspaceScan;
  /** Of the request's: what is still where it was granted, and is shown. */
  readonly granted: readonly GrantedFolder[];
  readonly release: () => void;
}

/** Looks at the workspace folders, and what was granted besides, before each launch, and keeps guards standing while commands may write to them. */
export class FolderProtection implements Disposable {
  /** By real path. */
  readonly #scanners = new Map<string, WorkspaceScanner>();
  readonly #guards: Guards;
  /** What is shown by itself although it lies in a workspace folder. */
  readonly #inner: readonly { readonly path: string; readonly folder: string }[];
  #writing = 0;

  constructor(
    private readonly facts: SandboxFacts,
    private readonly options: SandboxOptions,
  ) {
    this.#guards = new Guards(options.stateDirectory);
    this.#inner = placesIn(facts).flatMap(path => {
      if (real(path) !== path) return [];
      const folder = facts.folders.find(each => path !== each.realPath && isInside(path, each.realPath));
      return folder === undefined ? [] : [{ path, folder: folder.realPath }];
    });
  }

  /** `release` must be called once, when the process is over or was never started. */
  async prepare(request: LaunchRequest): Promise<Protection> {
    for (const each of this.#inner) this.#check(each);
    const there = (request.grantedFolders ?? []).filter(({ path }) => real(path) === path && exists(path));
    const isHidden = ({ path, access }: GrantedFolder) => access === 'none' && !isFolder(path);
    const granted = shownGrants(
      this.facts,
      there.filter(each => !isHidden(each)),
      request.view,
    );
    const visible = granted.filter(({ access }) => access !== 'none');
    const roots = [...this.facts.folders.map(each => each.realPath), ...visible.map(({ path }) => path)];
    const writable = [
      ...this.facts.folders
        .filter(({ path, realPath }) =>
          request.writableFolders.some(each => each === path || each === realPath),
        )
        .map(({ realPath }) => realPath),
      ...granted.filter(({ access }) => access === 'write').map(({ path }) => path),
    ];
    const scan = await this.#scan(roots);
    const guarded = this.#guardedBy(request, scan, writable);
    const hidden = there.filter(isHidden).map(({ path }) => path);
    const copies = this.options.copyOnWrite?.folders ?? [];
    // What is copied is another socket: nobody listens there.
    const doors = scan.doors.filter(path => !copies.some(each => isInside(path, each)));
    const secrets = [...scan.secrets, ...hidden, ...hostDoors(doors, writable)];
    const settled = { ...this.#settled(scan, roots), secrets, guarded };
    const isWriter = writable.length > 0;
    this.#guards.hold(guarded);
    if (isWriter) this.#writing += 1;
    return {
      scan: settled,
      granted,
      release: () => {
        if (isWriter) this.#writing -= 1;
        this.#guards.release(guarded);
      },
    };
  }

  /** What there is to hide now, shown in the view or not, and the folders in which it was sought. */
  async look(): Promise<{ secrets: readonly string[]; folders: readonly string[] }> {
    // What the user does is not seen in a clone; only commands write there.
    const clones = Object.values(this.options.copyOnWrite?.sources ?? {});
    const scanners = [...this.#scanners].filter(([root]) => !clones.some(each => isInside(root, each)));
    const secrets = secretsOf(await this.#scans(scanners.map(([root]) => root)));
    return { secrets, folders: scanners.flatMap(([, scanner]) => scanner.folders) };
  }

  [Symbol.dispose](): void {
    this.#guards[Symbol.dispose]();
  }

  /** A command may have put a link in the place of a folder on the way, and a mount would show what it leads to. */
  #check({ path, folder }: { readonly path: string; readonly folder: string }): void {
    const view = this.options.copyOnWrite;
    const isInView = view?.holder !== undefined && view.folders.some(each => isInside(folder, each));
    const at = (way: string) => (isInView ? `/proc/${view.holder}/root${way}` : sourceOf(way, view?.sources));
    try {
      if (waysTo(path, folder).every(way => !lstatSync(at(way)).isSymbolicLink())) return;
    } catch {
      // It is gone, or cannot be looked at.
    }
    throw sandboxErrors.moved(path);
  }

  async #scan(roots: readonly string[]): Promise<FolderScan> {
    const scans = await this.#scans(roots);
    return {
      secrets: await shownInView(secretsOf(scans), this.options.copyOnWrite),
      doors: [...new Set(scans.flatMap(each => each.doors))],
      protectedPaths: [...new Set(scans.flatMap(each => each.protectedPaths))],
      pinned: [...new Set(scans.flatMap(each => each.pinned))],
      guarded: [...new Set(scans.flatMap(each => each.guarded))],
    };
  }

  async #scans(roots: readonly string[]): Promise<readonly FolderScan[]> {
    const scans = await Promise.all(roots.map(root => this.#scanOf(root)));
    for (const [at, scan] of scans.entries())
      if (scan.secrets.length > mostSecrets)
        throw sandboxErrors.tooManySecrets(scan.secrets.length, roots[at] ?? '');
    return scans;
  }

  /** Of a folder that is shown as a clone, what the clone holds counts; the paths are those at which it is shown. */
  async #scanOf(root: string): Promise<FolderScan> {
    const source = sourceOf(root, this.options.copyOnWrite?.sources);
    const scan = await this.#scannerOf(source).scan();
    if (source === root) return scan;
    const shown = (paths: readonly string[]) => paths.map(path => root + path.slice(source.length));
    return {
      secrets: shown(scan.secrets),
      protectedPaths: shown(scan.protectedPaths),
      pinned: shown(scan.pinned),
      guarded: shown(scan.guarded),
      doors: shown(scan.doors),
    };
  }

  #scannerOf(root: string): WorkspaceScanner {
    const scanner = this.#scanners.get(root) ?? new WorkspaceScanner(root, this.facts.owner);
    this.#scanners.set(root, scanner);
    return scanner;
  }

  /**
   * A command that may write could put a link in the place of a folder between our look and the mount, and a mount
   * follows links with more sight than the command has. What lies at the root of a folder is held by mounts in that
   * command's own view; what lies deeper is not mounted anew while it runs.
   */
  #settled(scan: WorkspaceScan, roots: readonly string[]): WorkspaceScan {
    if (this.#writing === 0) return scan;
    const isHeld = (path: string) =>
      roots.some(root => {
        const [first = '', ...deeper] = path.slice(root.length + 1).split('/');
        return isInside(path, root) && (deeper.length === 0 || pinnedFolders.has(first));
      });
    return {
      ...scan,
      protectedPaths: scan.protectedPaths.filter(isHeld),
      pinned: scan.pinned.filter(isHeld),
    };
  }

  /** Guards stand only where commands may write to the user's own folder; the file writer touches one path alone. */
  #guardedBy(request: LaunchRequest, scan: WorkspaceScan, writable: readonly string[]): string[] {
    if (request.view === 'bare') return [];
    const copies = this.options.copyOnWrite?.folders ?? [];
    return scan.guarded
      .filter(path => writable.some(folder => isInside(path, folder)))
      .filter(path => !copies.some(each => isInside(path, each)))
      .filter(path => !isAllowed(path, request));
  }
}

function secretsOf(scans: readonly WorkspaceScan[]): string[] {
  return [...new Set(scans.flatMap(each => each.secrets))];
}

/** Bubblewrap takes 9,000 arguments; a mask is three, twice where a folder is linked. */
const mostSecrets = 1_200;
