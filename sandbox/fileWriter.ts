import { createHash, randomBytes } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { FileChangeRequest, type FileChangeResult, mostOldContent } from './fileChange.ts';
import { isInside } from './inside.ts';

// The program that changes one file of the workspace: bundled as dist/file-writer.cjs and run in the `bare` view, with
// only that workspace folder writable. The kernel keeps it inside; the checks here are for a plain answer.

process.stdout.write(JSON.stringify(answer(readFileSync(0, 'utf8'))) + '\n');

function answer(input: string): FileChangeResult {
  try {
    const request = FileChangeRequest.safeParse(JSON.parse(input));
    if (!request.success) return refused('invalid', 'The request to change a file could not be understood.');
    return change(request.data);
  } catch (error) {
    return failure(error);
  }
}

function change(request: FileChangeRequest): FileChangeResult {
  const { operation, content, expectedSha256 } = request;
  if (operation === 'write' && content === undefined)
    return refused('invalid', 'No content was given to write.');
  const target = resolveTarget(request);
  if (typeof target !== 'string') return target;

  const old = readRegular(target);
  if (old !== undefined && 'ok' in old) return old;
  const sha256 = old === undefined ? null : createHash('sha256').update(old.bytes).digest('hex');
  if (sha256 !== expectedSha256) return refused('conflict', conflict(request.path, sha256, expectedSha256));
  const shown = old !== undefined && old.bytes.length <= mostOldContent && isUtf8(old.bytes);
  const done: FileChangeResult = {
    ok: true,
    path: target,
    existed: old !== undefined,
    ...(shown ? { oldContent: old.bytes.toString('utf8') } : {}),
  };

  if (operation === 'delete') {
    if (old === undefined)
      return refused('conflict', `${request.path} does not exist, so it was not deleted.`);
    // The link goes, not what it names: that is what deleting a link means everywhere.
    unlinkSync(request.path);
    syncFolder(dirname(request.path));
    return { ...done, path: request.path };
  }
  mkdirSync(dirname(target), { recursive: true });
  writeWhole(target, content ?? '', old?.stat);
  return done;
}

/** The path with links resolved, when it stays in the roots. */
function resolveTarget({ path, roots }: FileChangeRequest): string | FileChangeResult {
  if (path.includes('\0') || !isAbsolute(path))
    return refused('invalid', 'The path is not an absolute path.');
  const outside = refused(
    'outside',
    `${path} is not inside a folder that may be changed, so nothing was written.`,
  );
  const realRoots = roots.map(root => realpathSync(root));
  const isWithin = (each: string) => realRoots.some(root => each !== root && isInside(each, root));
  const wanted = normalize(path);
  const stat = lstatSync(wanted, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) {
    let target: string;
    try {
      target = realpathSync(wanted);
    } catch {
      return refused('notAFile', `${path} is a link to something that does not exist.`);
    }
    return isWithin(target) ? target : outside;
  }
  // The nearest folder that exists decides where new folders would really be.
  const missing: string[] = [basename(wanted)];
  let at = dirname(wanted);
  while (lstatSync(at, { throwIfNoEntry: false }) === undefined && at !== dirname(at)) {
    missing.unshift(basename(at));
    at = dirname(at);
  }
  const target = join(realpathSync(at), ...missing);
  return isWithin(target) ? target : outside;
}

function readRegular(path: string): { bytes: Buffer; stat: Stats } | FileChangeResult | undefined {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  if (seen === undefined) return undefined;
  if (!seen.isFile()) return refused('notAFile', `${path} is not an ordinary file.`);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return refused('notAFile', `${path} is not an ordinary file.`);
    return { bytes: readFileSync(descriptor), stat };
  } finally {
    closeSync(descriptor);
  }
}

/** Whole or not at all: a temporary file beside it, on disk before it takes the name. */
function writeWhole(path: string, content: string, old: Stats | undefined): void {
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  const descriptor = openSync(temporary, 'wx', 0o666);
  try {
    try {
      writeFileSync(descriptor, content, 'utf8');
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (old !== undefined) chmodSync(temporary, old.mode & 0o7777);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch {
    // Some file systems cannot sync a folder; the file itself is on disk.
  } finally {
    closeSync(descriptor);
  }
}

function conflict(path: string, found: string | null, expected: string | null): string {
  if (found === null) return `${path} does not exist any more, so it was not changed.`;
  if (expected === null) return `${path} exists already, so it was not created.`;
  return `${path} was changed by somebody else since it was read, so it was not changed.`;
}

function failure(error: unknown): FileChangeResult {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'EROFS' || code === 'EBUSY')
    return refused('denied', `The sandbox keeps this path from being changed (${message}).`);
  if (code === 'EACCES' || code === 'EPERM')
    return refused('denied', `You have no right to change this file (${message}).`);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return refused('failed', `There is no space left to write (${message}).`);
  return refused('failed', message);
}

function refused(code: Extract<FileChangeResult, { ok: false }>['code'], message: string): FileChangeResult {
  return { ok: false, code, message };
}
