import { readFileSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { isInside } from './inside.ts';
import { statOf } from './look.ts';

/**
 * Of the sockets and named pipes found in the user's own folders, those through which a command could speak to a
 * program outside. No mount keeps it from that: a read-only one does not concern sockets and pipes, and a network of
 * its own does not concern sockets that have a path. In folders that are `writable`, commands may have made a pipe or
 * a socket for each other; there only a socket counts that a program of this machine's own network listens on.
 */
export function hostDoors(found: readonly string[], writable: readonly string[]): string[] {
  if (found.length === 0) return [];
  const bound = boundSockets();
  return found.filter(path => {
    if (!writable.some(folder => isInside(path, folder))) return true;
    return isSocket(path) && (bound.get(basename(path)) ?? []).some(name => mayBe(name, path));
  });
}

/** As they were named when they were bound, by the last part of that name. */
function boundSockets(): ReadonlyMap<string, readonly string[]> {
  const names = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    // Seven columns come before the name, which may hold spaces.
    .flatMap(line => /^(?:\S+\s+){7}(.+)$/.exec(line)?.[1] ?? []);
  const byLast = new Map<string, string[]>();
  for (const name of names) byLast.set(basename(name), [...(byLast.get(basename(name)) ?? []), name]);
  return byLast;
}

/** A name may lead through links, or from a folder that we do not know: only another file is another one for sure. */
function mayBe(name: string, path: string): boolean {
  if (!isAbsolute(name)) return true;
  const [one, other] = [statOf(name), statOf(path)];
  return one === undefined || other === undefined || (one.dev === other.dev && one.ino === other.ino);
}

function isSocket(path: string): boolean {
  return statOf(path)?.isSocket() ?? false;
}
