import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Ends a process started with `detached: true` and everything that came of it: politely, and after `patience`
 * milliseconds for good. Resolves when nothing is left.
 *
 * @param {number} pid
 * @param {number} [patience]
 */
export async function endTree(pid, patience = 4_000) {
  // Children are remembered first: once their parent is gone, nothing tells whose they were.
  let left = treeOf(pid);
  signal(-pid, 'SIGTERM');
  for (const until = Date.now() + patience; Date.now() < until; await delay(25)) {
    left = merge(left, treeOf(pid)).filter(isAlive);
    if (left.length === 0 && !signal(-pid, 0)) return;
  }
  signal(-pid, 'SIGKILL');
  for (const each of left) signal(each.pid, 'SIGKILL');
  for (const until = Date.now() + 2_000; Date.now() < until && left.some(isAlive);) await delay(25);
}

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {number} parent
 * @property {number} session
 * @property {string} started clock ticks since boot: with the pid, tells a process from a later one of the same number
 */

/**
 * The process, its descendants, and whoever shares its session. Empty where there is no /proc: there the process
 * group has to do.
 *
 * @param {number} pid
 * @returns {Running[]}
 */
function treeOf(pid) {
  const all = running();
  const found = all.filter(each => each.pid === pid || each.session === pid);
  for (let size = -1; size !== found.length;) {
    size = found.length;
    found.push(...all.filter(each => !found.includes(each) && found.some(one => one.pid === each.parent)));
  }
  return found;
}

/** @returns {Running[]} */
function running() {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => read(Number(name)) ?? []);
  } catch {
    return [];
  }
}

/**
 * @param {number} pid
 * @returns {Running | undefined}
 */
function read(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the fields after it are plain. Z is dead but not yet collected.
    const [state, parent, , session, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    return { pid, parent: Number(parent), session: Number(session), started: rest[15] ?? '' };
  } catch {
    return undefined;
  }
}

/** @param {Running} process */
function isAlive({ pid, started }) {
  return read(pid)?.started === started;
}

/**
 * @param {Running[]} known
 * @param {Running[]} seen
 */
function merge(known, seen) {
  return [
    ...known,
    ...seen.filter(each => !known.some(one => one.pid === each.pid && one.started === each.started)),
  ];
}

/**
 * @param {number} pid
 * @param {'SIGTERM' | 'SIGKILL' | 0} name
 */
function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
