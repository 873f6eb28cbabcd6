import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** A process as the host sees it. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
}

/** Every process below this one, by the parents that /proc names. */
export function descendants(root = process.pid): HostProcess[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => processOf(Number(name)) ?? []);
  const found: HostProcess[] = [];
  for (let parents = [root]; parents.length > 0;) {
    const children = all.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map(({ pid }) => pid);
  }
  return found;
}

/** The agent's own process, behind Bubblewrap. */
export function agentPid(root?: number): number | undefined {
  return descendants(root).find(
    ({ argv }) =>
      argv.at(-1) === '/run/cordon/agent.cjs' && !argv[0]?.includes('bwrap') && !argv.includes('--'),
  )?.pid;
}

/** Everything readable in which a secret could lie: arguments, environment, names and contents of open files. */
export function traces(pid: number): string {
  const parts = [text(`/proc/${pid}/cmdline`), text(`/proc/${pid}/environ`)];
  for (const descriptor of names(`/proc/${pid}/fd`)) {
    const target = link(`/proc/${pid}/fd/${descriptor}`);
    parts.push(target);
    // Only files: reading a pipe or a terminal would take what is in it.
    if (isFile(`/proc/${pid}/fd/${descriptor}`)) parts.push(text(`/proc/${pid}/fd/${descriptor}`));
  }
  return parts.join('\n');
}

function processOf(pid: number): HostProcess | undefined {
  const parent = /\) \S (\d+)/.exec(text(`/proc/${pid}/stat`))?.[1];
  if (parent === undefined) return undefined;
  return { pid, parent: Number(parent), argv: text(`/proc/${pid}/cmdline`).split('\0').slice(0, -1) };
}

function isFile(file: string): boolean {
  try {
    const stats = statSync(file);
    // Programs and libraries hold nothing of ours, and are large.
    return stats.isFile() && stats.size < 5_000_000;
  } catch {
    return false;
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
