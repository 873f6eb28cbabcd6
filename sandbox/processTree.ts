import { readdirSync, readFileSync, statSync } from 'node:fs';

// What the host's /proc tells of processes. A process is known by its number and its start: numbers come again.

/** When a process started, in clock ticks since boot; undefined when it is gone. A zombie counts as gone. */
export function startTime(pid: number): number | undefined {
  const fields = statFields(pid);
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return Number(fields[19]);
}

/** The children of a process that has one thread. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    // A kernel without CONFIG_PROC_CHILDREN.
    return allProcesses().filter(each => parentOf(each) === pid);
  }
}

/** What a process and all below it wrote, with those of them that ended; undefined where the kernel does not tell. */
export function bytesWritten(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/io`, 'latin1');
    const number = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);
    const own = Math.max(number('wchar'), number('write_bytes'));
    return childrenOf(pid).reduce((sum, child) => sum + (bytesWritten(child) ?? 0), own);
  } catch {
    return undefined;
  }
}

/** How many threads the namespace of this process has, as its own /proc tells; 0 when it cannot be read. */
export function threadsIn(pid: number): number {
  const proc = `/proc/${pid}/root/proc`;
  try {
    return readdirSync(proc)
      .filter(name => /^\d+$/.test(name))
      .reduce((sum, name) => sum + threadsOf(`${proc}/${name}/task`), 0);
  } catch {
    return 0;
  }
}

/** The folder links to each of its threads, to itself and to what is around it. */
function threadsOf(tasks: string): number {
  try {
    return Math.max(0, (statSync(tasks, { throwIfNoEntry: false })?.nlink ?? 2) - 2);
  } catch {
    // It ended just now.
    return 0;
  }
}

/** Whether none of a process's threads runs: it was stopped, or is over. */
export function isStopped(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every(thread => {
      const [state = 'X'] = statFields(`${pid}/task/${thread}`) ?? [];
      return ['T', 't', 'Z', 'X'].includes(state);
    });
  } catch {
    // Gone.
    return true;
  }
}

export function parentOf(pid: number): number | undefined {
  const parent = Number(statFields(pid)?.[1]);
  return Number.isInteger(parent) ? parent : undefined;
}

/** The process group of a process. */
export function groupOf(pid: number): number | undefined {
  const group = Number(statFields(pid)?.[2]);
  return Number.isInteger(group) && group > 1 ? group : undefined;
}

/** Fields of /proc/PID/stat, or that of a thread, from the third (state) on; the second may hold spaces and parentheses. */
function statFields(pid: number | string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .trim()
      .split(' ');
  } catch {
    return undefined;
  }
}

function allProcesses(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}
