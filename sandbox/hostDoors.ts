import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isInside } from './inside.ts';

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
    return isSocket(path) && (bound.has(path) || bound.has(basename(path)));
  });
}

/** As they were named when they were bound: whole paths, or the names of those that were bound by a relative path. */
function boundSockets(): ReadonlySet<string> {
  const names = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .flatMap(line => / (\S*)$/.exec(line.replace(/^(?:\S+\s+){7}/, ' '))?.[1] ?? []);
  return new Set(names.map(name => (name.startsWith('/') ? name : basename(name))).filter(Boolean));
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}
