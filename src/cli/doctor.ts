import { chownSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CordonError, messageOf } from '../base/errors.ts';
import { openOverlay } from '../overlay/overlay.ts';
import { removeTree } from '../base/removeTree.ts';
import { canClone } from '../overlay/tree/mirror.ts';
import { chooseCopy, describeCopy } from '../session/changes/chooseCopy.ts';
import { findProgram, gatherFacts } from '../../sandbox/facts.ts';
import { otherOwner, ownershipNote } from '../../sandbox/folderOwner.ts';
import { checkPodman } from '../../sandbox/podmanReadiness.ts';
import { checkSandbox } from '../../sandbox/readiness.ts';
import { openSandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { gatherSeatbeltFacts } from '../../sandbox/seatbeltFacts.ts';
import { sandboxErrors } from '../../sandbox/sandboxErrors.ts';
import { selfTest } from '../../sandbox/selfTest.ts';
import { sandboxSettings } from './sandboxSettings.ts';
import { userSettingsFile } from './userSettingsFile.ts';
import { stateDirectory } from './stateDirectory.ts';

/** One finding. `remedy` is set when something is to be done; a warning does not keep commands from running, and
 * neither does what this system has not. */
interface Finding {
  readonly name: string;
  readonly state: 'good' | 'warning' | 'bad' | 'absent';
  readonly detail: string;
  readonly remedy?: string;
}

/**
 * `cordon doctor [--json]`: tries the sandbox of this machine and says what is wrong and how to mend it with the
 * narrowest means. Exit status 0 when commands can run, 1 when not, 2 for wrong usage.
 */
export async function doctorCommand(argv: readonly string[]): Promise<number> {
  const unknown = argv.find(word => word !== '--json');
  if (unknown !== undefined) {
    process.stderr.write(
      `cordon doctor: unknown option ${JSON.stringify(unknown)}.\nusage: cordon doctor [--json]\n`,
    );
    return 2;
  }
  const findings = await examine();
  const ok = findings.every(finding => finding.state !== 'bad');
  process.stdout.write(
    argv.includes('--json') ? JSON.stringify({ ok, findings }, null, 2) + '\n' : report(ok, findings),
  );
  return ok ? 0 : 1;
}

async function examine(): Promise<Finding[]> {
  const { backend, limits } = await sandboxSettings();
  const readiness = await (backend === 'podman' ? checkPodman() : checkSandbox());
  if (readiness.kind === 'unavailable')
    return [{ name: 'Sandbox', state: 'bad', detail: readiness.message, remedy: readiness.remedy }];
  const findings: Finding[] = [
    {
      name: 'Sandbox',
      state: 'good',
      detail:
        'bwrap' in readiness
          ? `Bubblewrap ${readiness.version} (${readiness.bwrap}) starts.`
          : 'sandboxExec' in readiness
            ? `Seatbelt of macOS ${readiness.version} (${readiness.sandboxExec}) starts.`
            : `Podman ${readiness.version} (${readiness.podman}) starts, as "cordon.sandbox.backend" in ${userSettingsFile()} says.`,
    },
  ];
  const state = mkdtempSync(join(tmpdir(), 'cordon-doctor-'));
  const workspace = mkdtempSync(join(tmpdir(), 'cordon-doctor-workspace-'));
  const owner = otherOwner([process.cwd()]);
  if (owner !== undefined) chownSync(workspace, owner.uid, owner.gid);
  try {
    findings.push(
      ...(await walls({ folders: [workspace], stateDirectory: state, backend, limits })),
      await copyOnWrite(workspace),
      ...surroundings({ folders: [workspace], stateDirectory: state, backend, limits }),
      ...ownership(process.cwd(), backend),
    );
  } finally {
    removeTree(state);
    removeTree(workspace);
  }
  return findings;
}

async function walls(options: SandboxOptions): Promise<Finding[]> {
  try {
    await using sandbox = await openSandbox(options);
    const { probes, absent = [] } = await selfTest(sandbox);
    const tried = probes.map(({ name, ok, detail }): Finding => ({
      name: `Tried to ${name}`,
      state: ok ? 'good' : 'bad',
      detail: `${ok ? 'Stopped' : 'NOT stopped'}: ${detail}.`,
      ...(ok
        ? {}
        : { remedy: 'No command will run. Please report this with the output of "cordon doctor --json".' }),
    }));
    const untried = absent.map(({ name, why }): Finding => ({
      name: `Did not try to ${name}`,
      state: 'absent',
      detail: `${why}.`,
    }));
    return [...tried, ...untried];
  } catch (error) {
    return [{ name: 'Self-test', state: 'bad', detail: messageOf(error) }];
  }
}

/** Tried where sessions are really kept: that file system has to carry the upper layer, or to clone into. */
async function copyOnWrite(workspace: string): Promise<Finding> {
  const directory = mkdtempSync(join(stateDirectory(), 'doctor-'));
  let problem: unknown;
  try {
    const bwrap = findProgram('bwrap', process.env['PATH'], []);
    if (bwrap === undefined) throw sandboxErrors.noView(process.platform);
    await using _ = await openOverlay({ directory, folders: [workspace], bwrap, dropAtEnd: true });
  } catch (error) {
    problem = error;
  }
  try {
    if (process.platform === 'darwin')
      return {
        name: 'Copy-on-write workspace',
        state: 'warning',
        detail:
          'On macOS there is none, and what files held cannot be kept yet: the agent asks before it writes to your own files.',
      };
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const choice = chooseCopy({
      wanted: 'copyOnWrite',
      platform: process.platform,
      ...(problem === undefined
        ? {}
        : { noOverlay: problem instanceof CordonError ? problem.message : messageOf(problem) }),
      canClone: canClone(process.cwd(), directory),
    });
    const { detail } = describeCopy(choice);
    if (choice.kind === 'overlay') return { name: 'Copy-on-write workspace', state: 'good', detail };
    return {
      name: 'Copy-on-write workspace',
      state: 'warning',
      detail,
      ...(problem instanceof CordonError && problem.remedy !== undefined ? { remedy: problem.remedy } : {}),
    };
  } finally {
    removeTree(directory);
  }
}

/** Root at work in somebody else's folder: all that was tried, was tried as that user. */
function ownership(folder: string, backend: 'bubblewrap' | 'podman'): Finding[] {
  const name = 'This folder';
  const note = ownershipNote([folder], backend);
  if (note !== undefined)
    return [
      {
        name,
        state: 'warning',
        detail: note,
        remedy:
          'Run Cordon as the owner; in a dev container, name that user as "remoteUser" in devcontainer.json.',
      },
    ];
  const owner = otherOwner([folder]);
  if (owner === undefined) return [];
  const detail = `${folder} belongs to ${owner.name} (number ${owner.uid}), and this is root: commands in the sandbox run as ${owner.name}, and what they make is ${owner.name}'s.`;
  return [{ name, state: 'good', detail }];
}

function surroundings(options: SandboxOptions): Finding[] {
  const isMac = process.platform === 'darwin';
  // A folder for /tmp is made where none is given, and nobody would remove it.
  const looking = { ...options, temporaryDirectory: options.stateDirectory };
  const facts = isMac ? gatherSeatbeltFacts(looking) : gatherFacts(options);
  const toolchains = facts.toolchains.map(({ name, paths }) => `${name} (${paths.join(', ')})`);
  const limited = 'Processes, memory, open files, file size, disk space, output and time are limited';
  return [
    'prlimit' in facts && facts.prlimit === undefined
      ? {
          name: 'Limits',
          state: 'warning',
          detail: 'prlimit is missing, so memory, processes and files are not limited.',
          remedy: 'Install util-linux.',
        }
      : {
          name: 'Limits',
          state: 'good',
          detail: isMac ? `${limited}; memory and processes by looking once a second.` : `${limited}.`,
        },
    {
      name: 'Toolchains made visible, read-only',
      state: 'good',
      detail: toolchains.length === 0 ? 'None besides the system directories.' : toolchains.join('; '),
    },
    ...(isMac ? [onMacs] : []),
    ...(!('leftOut' in facts) || facts.leftOut === undefined
      ? []
      : [
          {
            name: 'Left out',
            state: 'warning',
            detail: `${facts.leftOut.join(', ')}: ${facts.user.name}, as whom commands run, may not go there.`,
            remedy: `Install it where ${facts.user.name} can read it, such as /usr/local or /opt.`,
          } as const,
        ]),
  ];
}

const onMacs: Finding = {
  name: 'On macOS',
  state: 'warning',
  detail:
    'Nobody has run these walls on a Mac yet: what was tried above is what is known of them here. Commands reach no server on this machine, also none of their own; /tmp is closed to them (TMPDIR is not); what they start is followed, not held together.',
};

function report(ok: boolean, findings: readonly Finding[]): string {
  const marks = { good: 'ok     ', warning: 'warning', bad: 'BAD    ', absent: '-      ' };
  const lines = findings.map(({ name, state, detail, remedy }) => {
    const help = remedy === undefined ? '' : `\n${remedy.replaceAll(/^/gm, '          ')}`;
    return `${marks[state]}  ${name}: ${detail}${help}`;
  });
  return [
    ...lines,
    '',
    ok ? 'Commands can run in the sandbox.' : 'No command can run until this is mended.',
    '',
  ].join('\n');
}
