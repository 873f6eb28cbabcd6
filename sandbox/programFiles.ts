import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { sandboxErrors } from './sandboxErrors.ts';

/** What a program needs to start where nothing else is: itself, its loader, its libraries. */
export interface ProgramFiles {
  /** Read-only binds, host path to path inside. */
  readonly paths: readonly { readonly source: string; readonly target: string }[];
  /** The program is Electron, which runs as Node when told so. */
  readonly isElectron: boolean;
}

/**
 * Finds the files of `program` (an absolute host path) and the libraries of the `others`, programs that are bound by
 * the caller. Asks the system's own loader through ldd(1), which runs it on these trusted files only.
 */
export async function programFiles(program: string, others: readonly string[]): Promise<ProgramFiles> {
  if (!isAbsolute(program) || !statSync(program, { throwIfNoEntry: false })?.isFile())
    throw sandboxErrors.programMissing(program);
  const binary = realpathSync(program);
  const isElectron = existsSync(join(dirname(binary), 'icudtl.dat'));
  const own = isElectron ? dirname(binary) : binary;
  const libraries = new Set<string>();
  for (const file of [binary, ...others.filter(isElf)])
    for (const library of await librariesOf(file)) libraries.add(library);
  const paths = [
    ...libraries,
    own,
    ...(existsSync('/etc/ld.so.cache') ? ['/etc/ld.so.cache'] : []),
    ...(existsSync('/etc/localtime') ? ['/etc/localtime'] : []),
  ];
  return {
    paths: [
      ...paths.map(path => ({ source: path, target: path })),
      ...(program === binary ? [] : [{ source: binary, target: program }]),
    ],
    isElectron,
  };
}

const known = new Map<string, Promise<string[]>>();

function librariesOf(file: string): Promise<string[]> {
  const stat = statSync(file);
  const key = `${file} ${stat.ino} ${stat.mtimeMs}`;
  let libraries = known.get(key);
  if (libraries === undefined) {
    libraries = askLoader(file);
    known.set(key, libraries);
  }
  return libraries;
}

async function askLoader(file: string): Promise<string[]> {
  const ldd = ['/usr/bin/ldd', '/bin/ldd'].find(each => existsSync(each));
  // Without ldd the library folders are shown whole: still no shell, but more than is needed.
  if (ldd === undefined) return ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].filter(each => existsSync(each));
  const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  // A static program makes ldd say so and fail; it needs nothing.
  const { stdout } = await promisify(execFile)(ldd, [file], { env: environment, timeout: 10_000 }).catch(
    () => ({ stdout: '' }),
  );
  return stdout
    .split('\n')
    .flatMap(line => /(?:=> )?(\/\S+) \(0x[0-9a-f]+\)/.exec(line)?.[1] ?? [])
    .filter(path => existsSync(path));
}

function isElf(path: string): boolean {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const magic = Buffer.alloc(4);
      readSync(descriptor, magic, 0, 4, 0);
      return magic.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
