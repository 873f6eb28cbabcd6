import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownershipNote } from '../../sandbox/folderOwner.ts';
import { openSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { checkPodman } from '../../sandbox/podmanReadiness.ts';
import { checkSandbox } from '../../sandbox/readiness.ts';
import { selfTest } from '../../sandbox/selfTest.ts';
import { CordonError, messageOf } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { listModels } from '../gateway/listModels.ts';
import type { ModelBackend } from '../gateway/gateway.ts';
import { modelBackend } from '../gateway/modelBackend.ts';
import { loadPolicy } from '../policy/loadPolicy.ts';
import type { CommandPolicy } from '../policy/policy.ts';
import { modelLabel } from '../protocol/model.ts';
import type { Conversation } from '../protocol/transcript.ts';
import { NetworkAccess } from '../session/network/networkAccess.ts';
import type { WorkingCopy } from '../session/changes/workingCopy.ts';
import type { Programs, Session, Unattended } from '../session/session.ts';
import { startSession } from '../session/startSession.ts';
import type { History } from '../store/history.ts';
import { openHistory } from '../store/openHistory.ts';
import { modelSettings, readRunArguments, type RunArguments } from './runArguments.ts';
import { jsonReport, plainReport, type RunReport, type RunStatus } from './runReport.ts';
import { applyRun, changesSentence, leaveRun } from './runChanges.ts';
import {
  openDirectSession,
  openSessionCopy,
  removeIfUnchanged,
  sessionTemporaryDirectory,
} from './sessionCopy.ts';
import { stateDirectory, workspaceDirectory } from './stateDirectory.ts';
import { StopSignals } from './stopSignals.ts';
import { domainSettings } from './domainSettings.ts';
import { sandboxSettings } from './sandboxSettings.ts';
import { userSettingsFile } from './userSettingsFile.ts';
import { userRules } from './userSettings.ts';

/**
 * `cordon run … TASK`: one turn of the agent with nobody to ask. Resolves to the exit status: 0 only when the task ended
 * well, 1 when it did not, 2 for wrong usage, 128 and the number of the signal that stopped it.
 */
export async function runCommand(argv: readonly string[], credential: string | undefined): Promise<number> {
  const wanted = readRunArguments(argv);
  if (wanted.kind === 'wrong') return usage(wanted.message);
  if (credential === undefined && wanted.provider === 'anthropic' && wanted.baseUrl === undefined)
    return usage('CORDON_API_KEY is not set; it holds the key of the provider.');
  const report = wanted.json ? jsonReport(process.stdout) : plainReport(process.stdout, process.stderr);
  try {
    return await run(wanted, credential ?? '', report);
  } catch (error) {
    report.end('failed', messageOf(error));
    return 1;
  }
}

async function run(wanted: RunArguments, credential: string, report: RunReport): Promise<number> {
  using signals = new StopSignals();
  using history = openHistory(path.join(stateDirectory(), 'history.db'), log);
  const settings = modelSettings(wanted, await modelName(wanted, credential, signals.aborted));
  const backend = modelBackend(settings, async () => credential);
  const { id, resume } = takeUp(history, wanted);
  const { isCopy, ...ended } = await work({
    wanted,
    settings,
    backend,
    history,
    id,
    resume,
    signals,
    report,
  });
  // The copy is closed by now: nothing writes to it any more.
  const { status, message } = isCopy ? await settle(wanted, id, ended, report) : ended;
  report.end(status, message);
  return signals.status ?? (status === 'done' ? 0 : 1);
}

interface Work {
  readonly wanted: RunArguments;
  readonly settings: ReturnType<typeof modelSettings>;
  readonly backend: ModelBackend;
  readonly history: History;
  readonly id: string;
  readonly resume: Conversation | undefined;
  readonly signals: StopSignals;
  readonly report: RunReport;
}

/** The one turn. `isCopy`: it worked in a copy of the workspace, which is kept. */
async function work(given: Work): Promise<Ending & { isCopy: boolean }> {
  const { wanted, settings, backend, history, id, resume, signals, report } = given;
  const { folders, task } = wanted;
  const walls = await sandboxSettings();
  const domains = domainSettings();
  const readiness = await (walls.backend === 'podman' ? checkPodman() : checkSandbox());
  if (readiness.kind === 'unavailable')
    throw new CordonError(readiness.code, readiness.message, readiness.remedy);
  const note = ownershipNote(folders, walls.backend);
  if (note !== undefined) log.warn(note);
  using network = new NetworkAccess({
    allowed: () => [...wanted.allowDomains, ...domains.allowed],
    forbidden: () => domains.forbidden,
    remember: () => Promise.reject(new CordonError('run.unattended', 'A run keeps no grants.')),
  });
  await using copy = await copyFor(wanted, id, walls.backend);
  await using sandbox = await provenSandbox({
    folders,
    stateDirectory: workspaceDirectory(folders),
    network: network.service,
    ...walls,
    ...(copy?.view === undefined
      ? {}
      : { copyOnWrite: copy.view, temporaryDirectory: sessionTemporaryDirectory(folders, id) }),
  });
  using runDirectory = new PrivateFolder();
  report.start({ session: id, folders, provider: settings.provider, model: modelLabel(settings) });
  await using session = startSession({
    id,
    ...(resume ? { resume } : {}),
    folders,
    model: settings,
    backend,
    sandbox,
    network,
    ...(copy ? { workingCopy: copy } : {}),
    policy: policyOf(wanted),
    writableFolders: () => (wanted.apply ? folders : []),
    remember: () => Promise.reject(new CordonError('run.unattended', 'A run keeps no rules.')),
    programs: programs(),
    runDirectory: runDirectory.path,
    onEvent: event => {
      history.record(id, event);
      report.event(event);
    },
    log,
    unattended: unattended(wanted),
  });
  const turn = session.prompt(task);
  signals.onStop(() => void session.stop());
  await turn;
  const isCopy = copy !== undefined && copy.kind !== 'direct';
  return { isCopy, ...outcome(session, resume?.items.length ?? 0, isCopy) };
}

interface Ending {
  readonly status: RunStatus;
  readonly message: string;
}

/**
 * Where there can be no copy, and it says so, the agent works in the user's own files: with --apply these are kept before
 * each change; without it, undefined is returned and nothing may be changed.
 */
async function copyFor(
  { folders, apply }: RunArguments,
  id: string,
  backend: 'bubblewrap' | 'podman',
): Promise<WorkingCopy | undefined> {
  try {
    return await openSessionCopy(folders, id, backend);
  } catch (error) {
    if (!(error instanceof CordonError) || error.code !== 'overlay.unavailable') throw error;
    const files = apply
      ? 'The agent changes your own files directly (--apply); what they hold is kept first, so that cordon review shows and cordon discard undoes it.'
      : 'Your own files are read-only instead; --apply lets the agent change them directly.';
    log.warn(`${error.message} ${files}`);
    return apply ? await openDirectSession(folders, id) : undefined;
  }
}

/** Takes the changes over or leaves them, as was asked. */
async function settle(
  { folders, named, session, apply }: RunArguments,
  id: string,
  ended: Ending,
  report: RunReport,
): Promise<Ending> {
  if (session === undefined && removeIfUnchanged(folders, id)) return ended;
  const real = folders.map(folder => realpathSync(folder));
  // What a turn left half done is not taken over unseen.
  const changes = apply && ended.status === 'done' ? await applyRun(real, id) : await leaveRun(real, id);
  report.changes(changes, changesSentence(changes, { session: id, workspaces: named }));
  if (session === undefined) removeIfUnchanged(folders, id);
  if (changes.obstacles.length > 0) return { status: 'incomplete', message: 'The changes were not applied.' };
  if (changes.heldBack.length > 0) return { status: 'incomplete', message: 'Some files were held back.' };
  return ended;
}

/** Walls that were tried and held; rejects, and nothing runs, when there are none. */
async function provenSandbox(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await openSandbox(options);
  try {
    const broken = (await selfTest(sandbox)).probes.filter(({ ok }) => !ok);
    if (broken.length === 0) return sandbox;
    const what = broken.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
    throw new CordonError(
      'sandbox.selfTestFailed',
      `The sandbox did not hold its self-test (${what}).`,
      'Nothing was run. Try cordon doctor.',
    );
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

async function modelName(wanted: RunArguments, credential: string, signal: AbortSignal): Promise<string> {
  if (wanted.model !== undefined) return wanted.model;
  if (wanted.provider === 'demo') return 'demo';
  const [newest] = await listModels(modelSettings(wanted, 'any'), credential, signal);
  if (newest !== undefined) return newest;
  throw new CordonError(
    'run.noModel',
    'The endpoint does not say which models it has.',
    'Name one with --model.',
  );
}

function policyOf({ folders, approve }: RunArguments): () => CommandPolicy {
  const asks = ({ never: 'everything', allowlist: 'notAllowed', contained: 'leaving' } as const)[approve];
  // Read once: what the agent may do does not change while it works, and it cannot reach the file anyway.
  const { policy, problems } = loadPolicy({
    folders,
    home: homedir(),
    settings: userRules(folders),
    mode: { kind: 'sandboxed', asks },
  });
  for (const { pattern, message } of problems) log.warn(`The rule "${pattern}" is ignored: ${message}`);
  return () => policy;
}

function unattended({ approve }: RunArguments): Unattended {
  const rule = `a rule in ${userSettingsFile()} ("cordon.commands.rules")`;
  const contained = approve === 'contained' ? '' : '--approve contained, or ';
  return {
    command: `Nobody can be asked in this run; it could be allowed by ${contained}${rule}.`,
    write: 'Nobody can be asked in this run; --apply allows changes of files.',
    protectedWrite: 'Nobody can be asked in this run, and --apply does not cover it.',
    host: grant => `Nobody can be asked in this run; --allow-domain ${grant} allows it.`,
    folder: 'Nobody can be asked in this run; --workspace names more folders.',
  };
}

function takeUp(
  history: History,
  { session, folders }: RunArguments,
): { id: string; resume: Conversation | undefined } {
  const id = session ?? randomId();
  const resume = session === undefined ? undefined : history.read(session);
  if (!resume) history.create({ id, workspace: folders.join('\n'), createdAt: Date.now() });
  return { id, resume };
}

/** How it went, judged by what this run added to the conversation. */
function outcome({ conversation }: Session, before: number, isCopy: boolean): Ending {
  const items = conversation.items.slice(before);
  const end = items.findLast(item => item.kind === 'turnEnd')?.reason ?? 'failed';
  const refused = items.some(
    item =>
      !isCopy &&
      item.kind === 'toolCall' &&
      (((item.tool === 'edit' || item.tool === 'delete') && item.state.kind === 'denied') ||
        / is read-only(\.|,| for this)/.test(item.output.slice(-1_000).split('[Cordon]').at(-1) ?? '')),
  );
  const message = refused ? 'Changes that the agent wanted to make were refused; --apply allows them.' : '';
  return { status: end === 'done' && refused ? 'incomplete' : end, message };
}

/** Everything that runs inside lies beside this file. */
function programs(): Programs {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const { rgPath } = createRequire(import.meta.url)('@vscode/ripgrep') as { rgPath: string };
  return {
    node: process.execPath,
    agent: path.join(here, 'agent.cjs'),
    fileWriter: path.join(here, 'file-writer.cjs'),
    ripgrep: rgPath,
  };
}

const log: Log = {
  info() {},
  warn: message => void process.stderr.write(`warning: ${message}\n`),
  error: message => void process.stderr.write(`error: ${message}\n`),
};

function usage(message: string): number {
  process.stderr.write(`cordon run: ${message} See cordon --help.\n`);
  return 2;
}

/** For the gateway's socket: short, of this user alone, and gone at the end. */
class PrivateFolder implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), 'cordon-'));

  constructor() {
    chmodSync(this.path, 0o700);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
