import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSandbox, type NetworkService, type Sandbox } from '../../sandbox/sandbox.ts';
import { checkSandbox } from '../../sandbox/readiness.ts';
import { selfTest } from '../../sandbox/selfTest.ts';
import { CordonError, messageOf } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { listModels } from '../gateway/listModels.ts';
import { modelBackend } from '../gateway/modelBackend.ts';
import { loadPolicy } from '../policy/loadPolicy.ts';
import type { CommandPolicy } from '../policy/policy.ts';
import { modelLabel } from '../protocol/model.ts';
import type { Conversation } from '../protocol/transcript.ts';
import { NetworkAccess } from '../session/networkAccess.ts';
import type { Programs, Session, Unattended } from '../session/session.ts';
import { startSession } from '../session/startSession.ts';
import type { History } from '../store/history.ts';
import { openHistory } from '../store/openHistory.ts';
import { modelSettings, readRunArguments, type RunArguments } from './runArguments.ts';
import { jsonReport, plainReport, type RunReport, type RunStatus } from './runReport.ts';
import { stateDirectory, workspaceDirectory } from './stateDirectory.ts';
import { userRules, userSettingsFile } from './userSettings.ts';

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
  const { folders, task } = wanted;
  const settings = modelSettings(wanted, await modelName(wanted, credential, signals.aborted));
  const backend = modelBackend(settings, async () => credential);
  using network = new NetworkAccess({
    allowed: () => wanted.allowDomains,
    forbidden: () => [],
    remember: () => Promise.reject(new CordonError('run.unattended', 'A run keeps no grants.')),
  });
  await using sandbox = await provenSandbox(folders, network.service);
  using runDirectory = new PrivateFolder();
  using history = openHistory(path.join(stateDirectory(), 'history.db'), log);
  const { id, resume } = takeUp(history, wanted);
  report.start({ session: id, folders, provider: settings.provider, model: modelLabel(settings) });
  await using session = startSession({
    id,
    ...(resume ? { resume } : {}),
    folders,
    model: settings,
    backend,
    sandbox,
    network,
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
  const { status, message } = outcome(session, resume?.items.length ?? 0);
  report.end(status, message);
  return signals.status ?? (status === 'done' ? 0 : 1);
}

/** Walls that were tried and held; rejects, and nothing runs, when there are none. */
async function provenSandbox(folders: readonly string[], network: NetworkService): Promise<Sandbox> {
  const readiness = await checkSandbox();
  if (readiness.kind === 'unavailable')
    throw new CordonError(readiness.code, readiness.message, readiness.remedy);
  const sandbox = await openSandbox({ folders, stateDirectory: workspaceDirectory(folders), network });
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
function outcome({ conversation }: Session, before: number): { status: RunStatus; message: string } {
  const items = conversation.items.slice(before);
  const end = items.findLast(item => item.kind === 'turnEnd')?.reason ?? 'failed';
  const refused = items.some(
    item =>
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

/** The first signal stops the turn and lets it end in order; a second one ends the process. */
class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  #status: number | undefined;
  readonly #listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
    name => [name, () => this.#arrived(name)] as const,
  );

  constructor() {
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** The exit status that says which signal came, if one did. */
  get status(): number | undefined {
    return this.#status;
  }

  get aborted(): AbortSignal {
    return this.#controller.signal;
  }

  onStop(stop: () => void): void {
    if (this.aborted.aborted) stop();
    else this.aborted.addEventListener('abort', stop, { once: true });
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #arrived(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    const status = 128 + constants.signals[name];
    // Whatever runs in the sandbox ends with this process.
    if (this.#status !== undefined) process.exit(status);
    this.#status = status;
    this.#controller.abort();
  }
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
