import { execFile } from 'node:child_process';
import { readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CordonError } from '../src/base/errors.ts';
import { containersConf, podmanOptions } from './podman.ts';
import { findPodman, type PodmanPrograms } from './podmanPrograms.ts';
import { PodmanRecords } from './podmanRecords.ts';
import { sandboxErrors } from './sandboxErrors.ts';

export type PodmanReadiness =
  | { readonly kind: 'ready'; readonly podman: string; readonly version: string }
  | {
      readonly kind: 'unavailable';
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
    };

/** Whether Podman can make a container for this user, tried for real; if not, why, and how to mend it. */
export async function checkPodman(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<PodmanReadiness> {
  if (process.platform !== 'linux') {
    const { code, message, remedy = '' } = sandboxErrors.podmanElsewhere();
    return no(code, message, remedy);
  }
  let programs: PodmanPrograms;
  try {
    programs = findPodman(environment, []);
  } catch (error) {
    if (!(error instanceof CordonError)) throw error;
    return { kind: 'unavailable', code: error.code, message: error.message, remedy: error.remedy ?? '' };
  }
  const version = await said(programs.podman, ['--version'], {});
  const trial = await tryIt(programs);
  return diagnosePodman({
    podman: programs.podman,
    version: /(\d+\.\d+(\.\d+)?)/.exec(version)?.[1] ?? '',
    trial,
    mixesControlGroups: mixesControlGroups(),
  });
}

/** What was found out; `trial` is Podman's own complaint, undefined when the container ran. */
export interface PodmanReadinessFacts {
  readonly podman: string;
  readonly version: string;
  readonly trial: string | undefined;
  /** Both versions of control groups are mounted, which crun refuses. */
  readonly mixesControlGroups: boolean;
}

const oldestPodman = 4.3;

/** From facts to a verdict. Pure. */
export function diagnosePodman(facts: PodmanReadinessFacts): PodmanReadiness {
  const { podman, version, trial } = facts;
  if (!(Number.parseFloat(version) >= oldestPodman))
    return no(
      'sandbox.podmanTooOld',
      `Podman ${version || 'of an unknown version'} is too old: Cordon needs ${oldestPodman} or newer.`,
      `Update the podman package of your system. ${otherWay}`,
    );
  if (trial === undefined) return { kind: 'ready', podman, version };
  if (facts.mixesControlGroups)
    return no(
      'sandbox.podmanControlGroups',
      'Podman cannot start a container here, because this system mixes both versions of control groups (hybrid mode).',
      `Start the system with the kernel parameter systemd.unified_cgroup_hierarchy=1. ${otherWay}`,
    );
  if (/newuidmap|newgidmap|subuid|subgid|not enough (unused )?I?Ds/i.test(trial))
    return no(
      'sandbox.podmanUserIds',
      `Podman has no user numbers for containers of this user (${trial}).`,
      'Give it some: sudo apt-get install uidmap (Debian, Ubuntu), then\n' +
        'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"\n' +
        `Undo: sudo usermod --del-subuids 100000-165535 --del-subgids 100000-165535 "$USER". ${otherWay}`,
    );
  return no(
    'sandbox.podmanCannotStart',
    `Podman is installed but cannot start a container (${trial}).`,
    `Try it by hand: ${podman} run --rm --network=none --rootfs / true. ${otherWay}`,
  );
}

const otherWay = 'Or set "cordon.sandbox.backend" to "bubblewrap".';

function no(code: string, message: string, remedy: string): PodmanReadiness {
  return { kind: 'unavailable', code, message, remedy };
}

/** An empty container with the system read-only and a program that does nothing. */
async function tryIt({ podman, init }: PodmanPrograms): Promise<string | undefined> {
  await using records = new PodmanRecords(podman, []);
  const directory = records.launchDirectory();
  const settings = join(directory, 'containers.conf');
  writeFileSync(settings, containersConf(records.directory, {}), { mode: 0o600 });
  try {
    const identity =
      process.getuid?.() === 0
        ? ['--uidmap=1000:0:1', '--gidmap=1000:0:1', '--user=1000:1000']
        : ['--userns=keep-id'];
    // The init is the one program that is there.
    const args = [
      ...podmanOptions(records),
      'run',
      '--rm',
      ...identity,
      '--cgroups=disabled',
      '--network=none',
      '--cap-drop=all',
      '--log-driver=passthrough',
      '--read-only',
      '--read-only-tmpfs=false',
      '--ulimit=nofile=1024:1024',
      '--ulimit=nproc=1024:1024',
      '--security-opt=label=disable',
      '--init',
      `--init-path=${init}`,
      '--no-hosts',
      '--passwd=false',
      '--rootfs',
      join(directory, 'root'),
      '/run/podman-init',
      '--version',
    ];
    await promisify(execFile)(podman, args, {
      cwd: '/',
      timeout: 60_000,
      env: { ...records.environment, CONTAINERS_CONF: settings },
    });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return (said || String(error)).split('\n').at(-1);
  } finally {
    records.dropLaunchDirectory(directory);
  }
}

async function said(program: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...args], { cwd: '/', timeout: 30_000, env })).stdout;
  } catch {
    return '';
  }
}

function mixesControlGroups(): boolean {
  try {
    const magic = 0x6367_7270;
    return (
      statfsSync('/sys/fs/cgroup').type !== magic &&
      readdirSync('/sys/fs/cgroup').includes('unified') &&
      statfsSync('/sys/fs/cgroup/unified').type === magic
    );
  } catch {
    return false;
  }
}
