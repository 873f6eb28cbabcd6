import { readdir, readFile, readlink } from 'node:fs/promises';

/** The two ends of a TCP connection on loopback, as the side sees it that was connected to. */
export interface LoopbackConnection {
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
}

/**
 * Which of several sandboxed programs made a connection, by the host's /proc: the program's network lists the socket,
 * and a process of the program's own process namespace holds it. `programs` maps names to process ids on the host.
 * Undefined where that cannot be told, as when the process is gone already.
 */
export async function ownerOfConnection(
  connection: LoopbackConnection,
  programs: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  let socket: string | undefined;
  // They share one network; but any of them may be gone by now.
  for (const pid of programs.values()) socket ??= await socketOf(connection, pid);
  if (socket === undefined) return undefined;
  const byNamespace = new Map<string, string>();
  for (const [name, pid] of programs) {
    const namespace = await link(`/proc/${pid}/ns/pid`);
    if (namespace !== undefined) byNamespace.set(namespace, name);
  }
  const processes = (await readdir('/proc')).filter(each => /^\d+$/.test(each));
  for (const pid of processes) {
    const name = byNamespace.get((await link(`/proc/${pid}/ns/pid`)) ?? '');
    if (name !== undefined && (await holds(pid, socket))) return name;
  }
  return undefined;
}

/** `socket:[INODE]`, as descriptors name it. */
async function socketOf(
  { remotePort, localPort }: LoopbackConnection,
  pid: number,
): Promise<string | undefined> {
  if (remotePort === undefined || localPort === undefined) return undefined;
  // Java and others speak IPv4 over sockets of IPv6.
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(`/proc/${pid}/net/${table}`, 'latin1').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', remote = '', , , , , , , inode = '0'] = line.trim().split(/\s+/);
      if (portOf(local) === remotePort && portOf(remote) === localPort && inode !== '0')
        return `socket:[${inode}]`;
    }
  }
  return undefined;
}

/** Of `ADDRESS:PORT` in hexadecimal digits. */
function portOf(end: string): number {
  return Number.parseInt(end.slice(end.indexOf(':') + 1), 16);
}

async function holds(pid: string, socket: string): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(descriptors.map(each => link(`/proc/${pid}/fd/${each}`)));
  return targets.includes(socket);
}

function link(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}
