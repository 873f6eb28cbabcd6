import { existsSync } from 'node:fs';
import { CordonError } from '../src/base/errors.ts';
import { findProgram } from './facts.ts';

/** Absolute paths of Podman, of the runtime it is made to use, and of a small init that reaps. */
export interface PodmanPrograms {
  readonly podman: string;
  readonly crun: string;
  readonly init: string;
}

/** Throws `sandbox.podmanMissing`, naming all that is to be installed. Nothing in `folders` is taken. */
export function findPodman(
  environment: Readonly<Record<string, string | undefined>>,
  folders: readonly string[],
): PodmanPrograms {
  const podman = findProgram('podman', environment['PATH'], folders);
  const crun = findProgram('crun', systemPath, []);
  const init = inits.find(each => existsSync(each));
  if (podman !== undefined && crun !== undefined && init !== undefined) return { podman, crun, init };
  const missing = [
    podman === undefined ? 'podman' : [],
    crun === undefined ? 'crun' : [],
    init === undefined ? 'catatonit' : [],
  ].flat();
  throw new CordonError(
    'sandbox.podmanMissing',
    `The sandbox is set to Podman ("cordon.sandbox.backend"), but ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed, so no command can run.`,
    `Install it: sudo apt-get install ${[...missing, 'uidmap'].join(' ')} (Debian, Ubuntu), sudo dnf install ${missing.join(' ')} (Fedora). ` +
      'Or set "cordon.sandbox.backend" to "bubblewrap".',
  );
}

const systemPath = '/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin';

const inits = [
  '/usr/libexec/podman/catatonit',
  '/usr/lib/podman/catatonit',
  '/usr/bin/catatonit',
  '/usr/bin/tini-static',
  '/usr/bin/dumb-init',
];
