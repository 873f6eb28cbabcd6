import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One process, as ps(1) tells of it. */
export interface ProcessSeen {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Bytes of memory in use. */
  readonly memory: number;
  /** When it started: a number comes again, but not with the same start. */
  readonly started: string;
  /** Of the command that it belongs to, from its environment, where that was looked at and is shown. */
  readonly mark?: string;
}

/** The variable that holds the mark: a program that leaves parent, group and session mostly keeps it. */
export const markVariable = 'CORDON_COMMAND';

/**
 * A program and what it started, where no namespace holds them together. They are followed from parent to child and by
 * process group, look by look, and what made itself a daemon between two looks is known by the mark in its environment.
 * What goes to the length of dropping that as well is not found, and stays behind its walls.
 */
export class ProcessFamily {
  /** Number → start. */
  readonly #known = new Map<number, string>();
  readonly #groups = new Set<number>();

  /** `root` leads its own process group, and has `mark` in its environment. */
  constructor(
    readonly root: number,
    readonly mark: string,
  ) {
    this.#groups.add(root);
  }

  /** Takes a look at all processes of the machine; returns those of the family that live. */
  update(all: readonly ProcessSeen[]): ProcessSeen[] {
    const byNumber = new Map(all.map(each => [each.pid, each]));
    const isKnown = ({ pid, started }: ProcessSeen) => this.#known.get(pid) === started;
    for (const [pid, started] of this.#known)
      if (byNumber.get(pid)?.started !== started) this.#known.delete(pid);
    const root = byNumber.get(this.root);
    if (root !== undefined && this.#isFirstLook) this.#add(root);
    this.#isFirstLook = false;
    // A group whose number now belongs to a stranger is a stranger's.
    for (const group of this.#groups) {
      const leader = byNumber.get(group);
      const isGone = !all.some(each => each.group === group);
      if (isGone || (leader !== undefined && !isKnown(leader))) this.#groups.delete(group);
    }
    for (let before = -1; before !== this.#known.size;) {
      before = this.#known.size;
      for (const each of all) if (!isKnown(each) && this.#isOurs(each)) this.#add(each);
    }
    return all.filter(isKnown);
  }

  #isFirstLook = true;

  #isOurs({ parent, group, mark }: ProcessSeen): boolean {
    return this.#known.has(parent) || this.#groups.has(group) || mark === this.mark;
  }

  #add({ pid, group, started }: ProcessSeen): void {
    this.#known.set(pid, started);
    this.#groups.add(group);
  }
}

/** Looks at all processes of the machine, and at their marks where asked for: that takes longer. Rejects where ps(1) fails. */
export async function lookAtProcesses(withMarks: boolean): Promise<ProcessSeen[]> {
  const columns = 'pid=,ppid=,pgid=,rss=,lstart=';
  const plain = ['-axo', columns];
  // The environment stands behind the command; of the system's own programs macOS does not show it.
  const marked =
    process.platform === 'darwin' ? ['-axwwEo', `${columns},command=`] : ['axwweo', `${columns},args=`];
  const { stdout } = await promisify(execFile)('/bin/ps', withMarks ? marked : plain, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
    timeout: 10_000,
  });
  return parseProcesses(stdout);
}

/** Lines of `pid ppid pgid rss lstart`, and the command with its environment where that was asked for. Pure. */
export function parseProcesses(text: string): ProcessSeen[] {
  return text.split('\n').flatMap(line => {
    const [, pid, parent, group, blocks, start = '', rest = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+((?:\S+\s+){4}\S+)(.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    const mark = markPattern.exec(rest)?.[1];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        memory: Number(blocks) * 1_024,
        started: start.split(/\s+/).join(' '),
        ...(mark === undefined ? {} : { mark }),
      },
    ];
  });
}

const markPattern = new RegExp(` ${markVariable}=([0-9a-f]+)(?: |$)`);
