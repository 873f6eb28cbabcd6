import { existsSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomId } from '../src/base/ids.ts';
import type { Sandbox } from './sandbox.ts';
import { seatbeltSelfTest } from './seatbeltSelfTest.ts';

export interface Probe {
  /** What was tried, as in "Tried to …". */
  readonly name: string;
  /** Whether the wall held. */
  readonly ok: boolean;
  readonly detail: string;
}

export interface SelfTestReport {
  readonly probes: readonly Probe[];
  /** What is tried elsewhere and has no meaning on this system: not tried, and not held. `name` as in a probe. */
  readonly absent?: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Tries to get out of a sandbox, as a command would, and judges from outside where that is possible. Rejects when the
 * attempt itself could not be made; then nothing is known, and nothing may run.
 */
export async function selfTest(sandbox: Sandbox): Promise<SelfTestReport> {
  if (process.platform === 'darwin') return await seatbeltSelfTest(sandbox);
  const id = randomId();
  await using host = await plant(id);
  const output = await attempt(sandbox, host);
  const said = new Map(
    output.split('\n').map(line => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  // Without its last line the script was cut short, and what it did not say is not known.
  if (said.get('end') !== id)
    return {
      probes: [
        { name: 'run the self-test', ok: false, detail: output.trim().slice(0, 300) || 'it did not finish' },
      ],
    };

  const written = host.outside.filter(path => existsSync(path));
  const privileges = said.get('privileges') ?? '';
  return {
    probes: [
      {
        name: 'write outside the workspace',
        ok: written.length === 0,
        detail:
          written.length === 0 ? `${host.outside.length} places refused it` : `wrote ${written.join(', ')}`,
      },
      {
        name: 'read a file in the home folder',
        ok: said.has('canary') && !output.includes(host.secret),
        detail: output.includes(host.secret) ? `read ${host.canary}` : 'the file is not there',
      },
      {
        name: "reach the machine's own network services",
        ok: host.connections() === 0,
        detail: host.connections() === 0 ? 'no connection arrived' : `reached 127.0.0.1:${host.port}`,
      },
      {
        name: "see the machine's processes",
        ok: said.get('pid') === 'own' && !(said.get('processes') ?? '').includes(id),
        detail: said.get('pid') === 'own' ? 'only its own are there' : 'it shares the process namespace',
      },
      {
        name: 'create a user namespace',
        ok: said.get('userns') === 'refused',
        detail: said.get('userns') === 'refused' ? 'the kernel refused it' : 'it was created',
      },
      {
        name: 'hold privileges',
        ok: privileges === '0000000000000000 1 1',
        detail:
          privileges === '0000000000000000 1 1'
            ? 'none, and none can be gained'
            : `capabilities ${privileges}`,
      },
      {
        name: "change the machine's kernel settings",
        ok: said.get('sysctl') === 'refused',
        detail: said.get('sysctl') === 'refused' ? '/proc/sys is read-only' : '/proc/sys can be written',
      },
    ],
  };
}

/** What the host lays out for the sandbox to find. */
async function plant(id: string) {
  const home = existsSync(homedir()) ? homedir() : tmpdir();
  // Where a file that a crash leaves behind is in nobody's way.
  const cache = join(home, '.cache');
  const canary = join(existsSync(cache) ? cache : home, `.cordon-canary-${id}`);
  const secret = randomId();
  const isPlanted = writable(() => writeFileSync(canary, secret, { mode: 0o600 }));
  let connections = 0;
  const server = createServer(socket => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    id,
    canary: isPlanted ? canary : '/etc/shadow',
    secret,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
    outside: [
      join(home, `.cordon-written-${id}`),
      `/usr/.cordon-written-${id}`,
      `/etc/.cordon-written-${id}`,
      `/var/lib/.cordon-written-${id}`,
    ],
    async [Symbol.asyncDispose]() {
      rmSync(canary, { force: true });
      for (const path of this.outside) rmSync(path, { force: true });
      await new Promise(resolve => server.close(resolve));
    },
  };
}

type Planted = Awaited<ReturnType<typeof plant>>;

async function attempt(sandbox: Sandbox, host: Planted): Promise<string> {
  const started = await sandbox.launch({
    argv: [
      'bash',
      '--noprofile',
      '--norc',
      '-c',
      script,
      'self-test',
      host.id,
      host.canary,
      String(host.port),
      readlinkSync('/proc/self/ns/pid'),
      ...host.outside,
    ],
    cwd: '/tmp',
    view: 'system',
    writableFolders: [],
    stdin: 'ignore',
    timeout: 60_000,
  });
  started.stderr?.resume();
  const chunks: Buffer[] = [];
  for await (const chunk of started.stdout ?? []) chunks.push(chunk as Buffer);
  await started.exited;
  return Buffer.concat(chunks).toString('utf8');
}

// Every attempt ends in a line `name=result`; what the script cannot try it reports as not refused.
const script = String.raw`
id=$1 canary=$2 port=$3 hostpid=$4; shift 4
for path in "$@"; do { : > "$path"; } 2>/dev/null; done
echo "canary=$(cat "$canary" 2>/dev/null)"
{ exec 9<>/dev/tcp/127.0.0.1/"$port"; } 2>/dev/null
{ exec 9<>/dev/tcp/localhost/"$port"; } 2>/dev/null
inside=$(readlink /proc/self/ns/pid)
if [ -n "$inside" ] && [ "$inside" != "$hostpid" ]; then echo pid=own; else echo pid=shared; fi
if command -v unshare >/dev/null; then
  if unshare --user true 2>/dev/null; then echo userns=created; else echo userns=refused; fi
elif [ "$(cat /proc/sys/user/max_user_namespaces)" -le 1 ]; then echo userns=refused; else echo userns=unknown; fi
while read -r key value; do
  case $key in CapEff:) caps=$value;; CapBnd:) bound=$value;; NoNewPrivs:) nnp=$value;; esac
done < /proc/self/status
if [ "$bound" = 0000000000000000 ]; then bounded=1; else bounded=0; fi
echo "privileges=$caps $nnp $bounded"
sysctl=refused
for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/vm/drop_caches; do
  if { : >> "$file"; } 2>/dev/null; then sysctl=writable; fi
done
echo "sysctl=$sysctl"
echo "end=$id"
`;

function writable(write: () => void): boolean {
  try {
    write();
    return true;
  } catch {
    return false;
  }
}
