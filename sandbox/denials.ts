import { isAbsolute, normalize, resolve } from 'node:path';
import { isInside } from './inside.ts';
import { protectionOf } from './protectedPaths.ts';
import { isSecretFile } from './secretFiles.ts';

/** What a wall refused, told from a failed command's own words, and the smallest thing that would cure it. */
export type AttributedDenial =
  /** A file in a workspace folder that is read-only so far. */
  | { readonly kind: 'writeFolder'; readonly path: string; readonly folder: string }
  /** A path that stays read-only by itself: what it could do is in `because`. */
  | { readonly kind: 'protectedPath'; readonly path: string; readonly because: string }
  /** A file that is hidden because it looks like a secret. */
  | { readonly kind: 'secretFile'; readonly path: string }
  /** Something outside of the workspace that the machine has and the sandbox does not show. */
  | { readonly kind: 'outside'; readonly path: string; readonly access: 'read' | 'write' }
  | { readonly kind: 'network'; readonly host: string; readonly port?: number }
  /**
   * The kernel does not let a copy-on-write view change this file, or link to it: it is not the user's own. `link`: git
   * wants to share a file of the user's between two repositories, which a copy cannot. `folder`: one that was there
   * before cannot be renamed as it is.
   */
  | { readonly kind: 'notCopied'; readonly path: string; readonly why: 'owner' | 'link' | 'folder' }
  /** A program wanted to look into another one. */
  | { readonly kind: 'tracing' }
  | { readonly kind: 'limit'; readonly setting: string };

export interface DenialContext {
  readonly cwd: string;
  readonly folders: readonly string[];
  readonly writableFolders: readonly string[];
  /** Whether the machine has this path; asked only for paths that the command named itself. */
  readonly exists: (path: string) => boolean;
  /** How the walls refuse what they do not show; `notThere` when absent. */
  readonly refusal?: 'notThere' | 'notPermitted';
}

/**
 * Reads what a failed command printed. Pure but for `exists`. A guess by nature: it offers and explains, and decides
 * nothing. At most five, in the order in which they were printed.
 */
export function attributeDenials(output: string, context: DenialContext): AttributedDenial[] {
  const found = new Map<string, AttributedDenial>();
  // The last words matter, and a program may print without end.
  for (const line of output.slice(-100_000).split('\n')) {
    for (const sign of signs) {
      const match = line.length > 4_000 ? null : sign.pattern.exec(line);
      const denial = match === null ? undefined : sign.judge(match[1] ?? '', context, match[2]);
      if (denial !== undefined) found.set(JSON.stringify(denial), denial);
    }
    if (found.size >= 5) break;
  }
  return [...found.values()].slice(0, 5);
}

/** One sentence for the user and for the model: what did not happen, and what would make it possible. */
export function describeDenial(denial: AttributedDenial): string {
  switch (denial.kind) {
    case 'writeFolder':
      return `The sandbox refused to write ${denial.path}: ${denial.folder} is read-only until the user allows writing there.`;
    case 'protectedPath':
      return `The sandbox refused a command to change ${denial.path}, because it ${denial.because}. Change it with the file tools, which ask the user.`;
    case 'secretFile':
      return `The sandbox hides ${denial.path} from commands, because it looks like a secret. Ask the user for what is needed of it.`;
    case 'outside':
      return denial.access === 'read'
        ? `The sandbox does not show ${denial.path} to commands: it is outside of the workspace. Ask the user to bring it in.`
        : `The sandbox lets no command write ${denial.path}: it is outside of the workspace.`;
    case 'network':
      return `The sandbox has no way to ${denial.port === undefined ? denial.host : `${denial.host}:${denial.port}`}: commands have no network unless the user allows that host.`;
    case 'notCopied':
      switch (denial.why) {
        case 'owner':
          return `The copy of the workspace cannot change ${denial.path}, because the file belongs to another user or group. The user can mend that in a terminal of theirs: chown or chgrp.`;
        case 'link':
          return 'In a copy of the workspace git cannot link to the files of another repository: use git clone --no-hardlinks.';
        case 'folder':
          return `In a copy of the workspace the folder ${denial.path} cannot be renamed in one step. The program mv can move it, by copying; for git: mv, then git add.`;
      }
    case 'tracing':
      return 'The sandbox lets no program trace another one, so debuggers, strace and the search for leaks (LeakSanitizer) do not work in it. The user can run them in a terminal of theirs.';
    case 'limit':
      return `The sandbox's limit "${denial.setting}" was reached. The user can raise it in the settings.`;
  }
}

interface Sign {
  readonly pattern: RegExp;
  /** `more` is the second thing that the pattern caught. */
  readonly judge: (found: string, context: DenialContext, more?: string) => AttributedDenial | undefined;
}

// How programs put it: "tool: cannot X 'path': Reason", "tool: path: Reason", "Error: EROFS: reason, open 'path'",
// "OSError: [Errno 30] Reason: 'path'". The path is what stands before the reason, or in the quotes after it.
const before = String.raw`(?:^|[\s:])['"‘“]?(\/[^'"’”:]*|[^'"’”:\s]+)['"’”]?`;

const signs: readonly Sign[] = [
  { pattern: new RegExp(`${before}: Read-only file system`), judge: written },
  { pattern: /\bEROFS\b[^'"]*['"]([^'"]+)['"]/, judge: written },
  { pattern: /Read-only file system: ['"]([^'"]+)['"]/, judge: written },
  { pattern: new RegExp(`${before}: Device or resource busy`), judge: protectedOnly },
  { pattern: /cannot move ['‘]([^'’]+)['’] to .*: Device or resource busy/, judge: protectedOnly },
  { pattern: /\bEBUSY\b[^'"]*['"]([^'"]+)['"]/, judge: protectedOnly },
  { pattern: new RegExp(`${before}: Permission denied`), judge: hidden },
  { pattern: /\bopen\("([^"]+)"\): Permission denied/, judge: hidden },
  { pattern: /\bEACCES\b[^'"]*['"]([^'"]+)['"]/, judge: hidden },
  { pattern: /Permission denied: ['"]([^'"]+)['"]/, judge: hidden },
  { pattern: new RegExp(`${before}: Value too large for defined data type`), judge: notOwn },
  { pattern: /\bEOVERFLOW\b[^'"]*['"]([^'"]+)['"]/, judge: notOwn },
  { pattern: /Value too large for defined data type: ['"]([^'"]+)['"]/, judge: notOwn },
  {
    pattern: /hardlink different from source at '([^']+)'/,
    judge: (named, { cwd }) => ({ kind: 'notCopied', path: resolve(cwd, named), why: 'link' }),
  },
  // "renaming 'a' failed: …" (git), "…: 'a' -> 'b'" (Python), "EXDEV: …, rename 'a' -> 'b'" (Node).
  { pattern: /renaming ['‘]([^'’]+)['’] failed: Invalid cross-device link/, judge: notRenamed },
  { pattern: /Invalid cross-device link: ['"]([^'"]+)['"] ->/, judge: notRenamed },
  { pattern: /\bEXDEV\b[^'"]*\brename ['"]([^'"]+)['"]/, judge: notRenamed },
  {
    pattern: /(\bptrace(?:\b|_).*: Operation not permitted|LeakSanitizer does not work under ptrace)/i,
    judge: () => ({ kind: 'tracing' }),
  },
  { pattern: new RegExp(`${before}: No such file or directory`), judge: notShown },
  { pattern: /\bENOENT\b[^'"]*['"]([^'"]+)['"]/, judge: notShown },
  { pattern: /No such file or directory: ['"]([^'"]+)['"]/, judge: notShown },
  { pattern: /Could not resolve host: ([\w.-]+)/i, judge: unreachable },
  { pattern: /(?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/, judge: unreachable },
  { pattern: /failed to lookup address information.*?([\w-]+(?:\.[\w-]+)+)/i, judge: unreachable },
  { pattern: /Temporary failure in name resolution.*?([\w-]+(?:\.[\w-]+)+)/i, judge: unreachable },
  {
    pattern:
      /host='([\w.-]+)'.*(?:Name or service not known|Temporary failure in name resolution|NewConnectionError)/,
    judge: unreachable,
  },
  { pattern: /ssh: Could not resolve hostname ([\w.-]+)/i, judge: unreachable },
  {
    // Nothing else than the web's ports leads anywhere for programs that know no proxy.
    pattern: /ssh: connect to host ([\w.-]+) port (\d+): (?:Connection refused|Network is unreachable)/i,
    judge: (host, context, port) => unreachable(host, context, port),
  },
  { pattern: new RegExp(`${before}: Operation not permitted`), judge: notPermitted },
  { pattern: /\bEPERM\b[^'"]*['"]([^'"]+)['"]/, judge: notPermitted },
  { pattern: /Operation not permitted: ['"]([^'"]+)['"]/, judge: notPermitted },
  { pattern: /unable to resolve host address ['"‘]([\w.-]+)/i, judge: unreachable },
  { pattern: /lookup ([\w.-]+) on .*(?:refused|unreachable)/, judge: unreachable },
  {
    pattern: /fork.*(Resource temporarily unavailable)/,
    judge: () => ({ kind: 'limit', setting: 'cordon.limits.processes' }),
  },
  {
    pattern:
      /(Cannot allocate memory|MemoryError|Sanitizer failed to allocate|JavaScript heap out of memory|OutOfMemoryError|memory allocation of \d+ bytes failed)/,
    judge: () => ({ kind: 'limit', setting: 'cordon.limits.memory' }),
  },
  {
    pattern: /(Too many open files|EMFILE)/,
    judge: () => ({ kind: 'limit', setting: 'cordon.limits.openFiles' }),
  },
  {
    pattern: /(File size limit exceeded|File too large|EFBIG)/,
    judge: () => ({ kind: 'limit', setting: 'cordon.limits.fileSize' }),
  },
];

function written(named: string, context: DenialContext): AttributedDenial | undefined {
  const path = resolve(context.cwd, named);
  const folder = context.folders.find(each => isInside(path, each));
  if (folder === undefined) return { kind: 'outside', path, access: 'write' };
  return context.writableFolders.includes(folder)
    ? protectedOnly(named, context)
    : { kind: 'writeFolder', path, folder };
}

function protectedOnly(named: string, { cwd, folders }: DenialContext): AttributedDenial | undefined {
  const path = resolve(cwd, named);
  const folder = folders.find(each => path !== each && isInside(path, each));
  // A folder around a protected path is held in its place as well.
  const relative = folder === undefined ? '' : path.slice(folder.length + 1);
  const because =
    relative === ''
      ? undefined
      : (protectionOf(relative) ??
        protectionOf(`${relative}/hooks`) ??
        protectionOf(`${relative}/workflows`) ??
        // All of a repository is kept as it is.
        (relative.split('/').includes('.git') ? protectionOf('.git/config') : undefined));
  return because === undefined ? undefined : { kind: 'protectedPath', path, because };
}

function hidden(named: string, { cwd, folders }: DenialContext): AttributedDenial | undefined {
  const path = resolve(cwd, named);
  const isHidden =
    isSecretFile(path.slice(path.lastIndexOf('/') + 1)) && folders.some(each => isInside(path, each));
  return isHidden ? { kind: 'secretFile', path } : undefined;
}

function notShown(named: string, { folders, exists }: DenialContext): AttributedDenial | undefined {
  if (!isAbsolute(named)) return undefined;
  const path = normalize(named);
  if (folders.some(each => isInside(path, each)) || !exists(path)) return undefined;
  return { kind: 'outside', path, access: 'read' };
}

function notOwn(named: string, { cwd, folders }: DenialContext): AttributedDenial | undefined {
  const path = resolve(cwd, named.replace(/^Unable to create ['"]?/, ''));
  return folders.some(each => isInside(path, each)) ? { kind: 'notCopied', path, why: 'owner' } : undefined;
}

/** Between two file systems nothing can be renamed anywhere; within the workspace it is the view that refuses. */
function notRenamed(named: string, { cwd, folders }: DenialContext): AttributedDenial | undefined {
  const path = resolve(cwd, named);
  return folders.some(each => isInside(path, each)) ? { kind: 'notCopied', path, why: 'folder' } : undefined;
}

/** Where a profile stands in the way; elsewhere this says nothing about our walls. */
function notPermitted(named: string, context: DenialContext): AttributedDenial | undefined {
  if (context.refusal !== 'notPermitted') return undefined;
  const path = resolve(context.cwd, named);
  if (!context.folders.some(each => isInside(path, each))) return notShown(path, context);
  return hidden(named, context) ?? written(named, context);
}

function unreachable(host: string, _context?: DenialContext, port?: string): AttributedDenial | undefined {
  if (host === 'localhost') return undefined;
  const named = { kind: 'network', host: host.toLowerCase().replace(/\.$/, '') } as const;
  return port === undefined ? named : { ...named, port: Number(port) };
}
