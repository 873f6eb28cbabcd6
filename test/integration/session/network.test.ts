import { exec as run } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openSandbox } from '../../../sandbox/sandbox.ts';
import { WallClock } from '../../../sandbox/wallClock.ts';
import { parseDomain } from '../../../src/egress/grant.ts';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import { NetworkAccess, type NetworkOptions } from '../../../src/session/network/networkAccess.ts';
import type { Programs, SessionOptions } from '../../../src/session/session.ts';
import { Internet } from '../egress/internet.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

const exec = promisify(run);
let programs: Programs;
let internet: Internet;
const built = temporaryFolder();
const site = '93.184.216.34';
beforeAll(async () => {
  programs = await buildPrograms(built);
  internet = new Internet(['docs.example.com']);
  internet
    .name('docs.example.com', [site])
    .name('other.example.com', [site])
    .name('inside.example.com', ['10.0.0.5']);
  await internet.web(site, 80);
  // Speaks once, then keeps the connection.
  await internet.web(site, 8080, (_, response) => void response.write('begun\n'));
});
beforeEach(() => void (internet.seen.length = 0));
afterAll(async () => {
  await internet?.[Symbol.asyncDispose]();
  rmSync(built, { recursive: true });
});

const willing: CommandPolicy = {
  decide: () => ({
    decision: 'allow',
    risk: 0,
    reasons: [{ code: 'rule.allow', message: 'Allowed.', span: [0, 1] }],
  }),
  propose: () => [],
};

/** A conversation whose commands have the small internet behind the proxy. */
class Connected extends Stage {
  readonly kept: unknown[] = [];
  network!: NetworkAccess;

  async connect(network: Partial<NetworkOptions> = {}, options: Partial<SessionOptions> = {}): Promise<this> {
    this.network = new NetworkAccess({
      allowed: () => [],
      forbidden: () => [],
      remember: async grant => void this.kept.push(grant),
      outside: internet.outside,
      ...network,
    });
    const sandbox = await openSandbox({
      folders: [this.workspace],
      stateDirectory: `${this.folder}/state`,
      network: this.network.service,
    });
    await this.open({ policy: () => willing, network: this.network, ...options, sandbox });
    this.sandbox = sandbox;
    return this;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.network?.[Symbol.dispose]();
  }
}

const fetchPage = 'run: curl -sS -m 30 http://docs.example.com/page';

test('a host is asked for with the command that wants it, and reached once it is allowed', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt(fetchPage);
  const { id, toolCallId, subject, decision } = await stage.approval();
  expect(subject).toEqual({
    kind: 'domain',
    host: 'docs.example.com',
    port: 80,
    grant: 'docs.example.com',
    command: fetchPage.slice('run: '.length),
  });
  expect(decision.reasons.map(({ code }) => code)).toEqual(['network.host', 'network.plain']);
  expect(stage.lastCall).toMatchObject({ id: toolCallId, state: { kind: 'awaitingApproval' } });
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  await turn;
  expect(stage.lastCall).toMatchObject({
    state: { kind: 'finished', ok: true },
    output: 'hello from docs.example.com/page\n',
    connections: [{ host: 'docs.example.com', port: 80, connections: 1 }],
  });
  expect(stage.lastCall?.connections?.[0]?.received).toBeGreaterThan(100);
});

test('"once" ends with the command, "session" lasts, "always" is kept by the user', async () => {
  await using stage = await new Connected(programs).connect();
  const prompt = async (text: string, answer?: 'allowOnce' | 'allowForSession' | 'alwaysAllow') => {
    const turn = stage.session.prompt(text);
    if (answer !== undefined) {
      const { id } = await stage.approval();
      stage.session.answerApproval(
        id,
        answer === 'alwaysAllow'
          ? { kind: answer, pattern: 'evil.example.com', scope: 'workspace' }
          : { kind: answer },
      );
    }
    await turn;
    return stage.lastCall?.output;
  };
  expect(await prompt(`${fetchPage}; curl -sS http://docs.example.com/again`, 'allowOnce')).toContain(
    '/again',
  );
  expect(await prompt(fetchPage, 'allowForSession')).toContain('hello');
  expect(await prompt(fetchPage)).toContain('hello');
  expect(stage.network.list()).toMatchObject([{ host: 'docs.example.com', kind: 'session', uses: 2 }]);
  // A face of the panel cannot choose what is kept.
  await prompt('run: curl -sS http://other.example.com/x', 'alwaysAllow');
  expect(stage.kept).toEqual([{ host: 'other.example.com' }]);
});

test('a denial is told with the words of the user, and a loop does not ask again until the command ends', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt(
    'run: for i in 1 2 3 4 5; do curl -sS http://docs.example.com/$i > /dev/null; done',
  );
  const { id } = await stage.approval();
  stage.session.answerApproval(id, { kind: 'deny', words: 'Use the local copy.' });
  await turn;
  expect(stage.events.filter(({ type }) => type === 'approval').length).toBe(1);
  expect(internet.seen).toEqual([]);
  expect(stage.lastCall?.output).toBe(
    '[Cordon] The command did not reach docs.example.com: the user did not allow it. They say: Use the local copy.\n',
  );
  expect(stage.lastCall?.denials).toEqual([
    {
      kind: 'host',
      host: 'docs.example.com',
      port: 80,
      grant: 'docs.example.com',
      words: 'You did not let it reach docs.example.com. You said: Use the local copy.',
    },
  ]);
  const again = stage.session.prompt(fetchPage);
  stage.session.answerApproval((await stage.approval()).id, { kind: 'deny' });
  await again;
});

test('a program that gives up while the question stands finds the answer when it tries again', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt(
    'run: until curl -sS -m 1 http://docs.example.com/page; do :; done 2> /dev/null',
  );
  const { id } = await stage.approval();
  await new Promise(resolve => setTimeout(resolve, 2_500));
  expect(stage.events.filter(({ type }) => type === 'approval').length).toBe(1);
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  await turn;
  expect(stage.lastCall?.output).toContain('hello from docs.example.com/page');
});

test('the wall time of a command stands while the user is asked, and runs on afterwards', async () => {
  const limits = { maxRequests: 60, contextTokens: 150_000, wallTime: 6_000 };
  await using stage = await new Connected(programs).connect({}, { limits });
  const turn = stage.session.prompt(`${fetchPage}; sleep 1000`);
  const { id } = await stage.approval();
  await new Promise(resolve => setTimeout(resolve, limits.wallTime + 1_000));
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  await turn;
  const { output, state } = stage.lastCall ?? {};
  expect(output).toBe(
    'hello from docs.example.com/page\n[Cordon] It was ended because it ran longer than 6 s (setting "cordon.limits.wallTime").\n',
  );
  const took = state?.kind === 'finished' ? (state.took ?? 0) : 0;
  expect(took).toBeGreaterThan(2 * limits.wallTime);
});

test('of several commands, the one that connects is asked about, and what it is allowed once is not the others’', async () => {
  await using stage = await new Connected(programs).connect();
  await stage.session.prompt(
    'start: while sleep 0.3; do test -e go && curl -sS -m 5 http://docs.example.com/background; done',
  );
  const turn = stage.session.prompt(fetchPage.replace('curl', 'sleep 0.5; curl'));
  const { id, subject } = await stage.approval();
  expect(subject).toMatchObject({ command: 'sleep 0.5; curl -sS -m 30 http://docs.example.com/page' });
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  await turn;
  stage.write('go', '');
  const second = await stage.approval();
  expect(second.subject).toMatchObject({ command: expect.stringContaining('while sleep') });
  expect(second.toolCallId).toBe(stage.items('toolCall')[0]?.id);
  stage.session.answerApproval(second.id, { kind: 'deny' });
  await vi.waitFor(() => expect(stage.items('toolCall')[0]?.state.kind).toBe('running'));
  expect(internet.seen.map(({ url }) => url)).toEqual(['/page']);
});

test('where it cannot be told which command connects, the question says so and stands at the latest', async () => {
  await using stage = await new Connected(programs).connect();
  // Commands that /proc knows nothing of, and a connection that none of them made.
  const clocks = [new WallClock(100), new WallClock(100)];
  const first = stage.network.follow('first', 'npm ci', clocks[0]);
  const second = stage.network.follow('second', 'cargo build', clocks[1]);
  first.runsAs(2 ** 22 + 1);
  second.runsAs(2 ** 22 + 2);
  const door = createServer({ allowHalfOpen: true }, connection => stage.network.service.accept(connection));
  await new Promise<void>(resolve => void door.listen(0, '127.0.0.1', resolve));
  const { port } = door.address() as AddressInfo;
  const get = () => exec(`curl -sS -x http://127.0.0.1:${port} http://docs.example.com/page`);
  const [one, other] = [get(), get()];
  const { id, toolCallId, subject, decision } = await stage.approval();
  expect([toolCallId, subject]).toEqual([
    'second',
    { kind: 'domain', host: 'docs.example.com', port: 80, grant: 'docs.example.com' },
  ]);
  expect(decision.reasons.map(({ code }) => code)).toContain('network.whichCommand');
  // It may be either that waits, so neither loses time.
  const over: number[] = [];
  for (const [at, clock] of clocks.entries()) clock.start(() => over.push(at));
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(over).toEqual([]);
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  expect([(await one).stdout, (await other).stdout]).toEqual(
    Array(2).fill('hello from docs.example.com/page\n'),
  );
  await vi.waitFor(() => expect(over).toEqual([0, 1]));
  expect((await second.end()).connections).toMatchObject([{ host: 'docs.example.com', connections: 2 }]);
  await first.end();
  // Once lasted as long as commands ran.
  expect(stage.network.list()).toEqual([]);
  expect((await get()).stdout).toContain('docs.example.com:80 is not allowed');
  door.close();
});

test('a command in the background is told what was refused while it runs, once', async () => {
  await using stage = await new Connected(programs).connect();
  const call = () => stage.items('toolCall')[0];
  const turn = stage.session.prompt(
    'start: while sleep 0.5; do curl -sS http://docs.example.com/ > /dev/null; done',
  );
  const { id } = await stage.approval();
  stage.session.answerApproval(id, { kind: 'deny', words: 'Not now.' });
  await turn;
  await vi.waitFor(() => expect(call()?.output).toContain('They say: Not now.'), { timeout: 20_000 });
  expect(call()).toMatchObject({ state: { kind: 'running' }, denials: [{ host: 'docs.example.com' }] });
  expect(stage.session.liftDenial(call()?.id ?? '', 0, 'session')).toBe(true);
  await vi.waitFor(() => expect(internet.seen.length).toBeGreaterThan(0), { timeout: 20_000 });
  await vi.waitFor(() => expect(call()?.connections).toMatchObject([{ host: 'docs.example.com' }]), {
    timeout: 20_000,
  });
  await stage.session[Symbol.asyncDispose]();
  expect(call()?.output.split('[Cordon]').length).toBe(2);
  expect(call()?.denials).toMatchObject([{ cured: 'session' }]);
});

test('Stop ends the question, and nothing was reached', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt(fetchPage);
  const { id } = await stage.approval();
  await stage.session.stop();
  await turn;
  expect(stage.conversation.approvals).toEqual([]);
  expect(stage.session.answerApproval(id, { kind: 'allowForSession' })).toBe(false);
  expect([stage.lastCall?.state.kind, stage.network.list(), internet.seen]).toEqual(['cancelled', [], []]);
});

test('a program that knows nothing of proxies is asked about as well, and told the same', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt(
    'run: env -i PATH=$PATH curl -sS http://docs.example.com/page; env -i PATH=$PATH curl -sS https://other.example.com/',
  );
  const first = await stage.approval();
  expect(first.subject).toMatchObject({ host: 'docs.example.com', port: 80 });
  stage.session.answerApproval(first.id, { kind: 'allowOnce' });
  const second = await vi.waitUntil(
    () =>
      stage.conversation.approvals.find(({ subject }) => subject.kind === 'domain' && subject.port === 443),
    { timeout: 20_000 },
  );
  stage.session.answerApproval(second.id, { kind: 'deny' });
  await turn;
  expect(stage.lastCall?.output).toContain('hello from docs.example.com/page');
  expect(stage.lastCall?.output).toContain('did not reach other.example.com: the user did not allow it.');
});

test('what needs no network asks for none: npm does not look for a newer npm', async () => {
  await using stage = await new Connected(programs).connect();
  await stage.session.prompt('run: npm test');
  expect(stage.lastCall?.output).toContain('# pass 7');
  expect(stage.events.filter(({ type }) => type === 'approval')).toEqual([]);
});

test('taking a host back cuts its open connections at once', async () => {
  await using stage = await new Connected(programs).connect();
  stage.network.allowForSession('docs.example.com:8080');
  const turn = stage.session.prompt('run: curl -sS -N -m 60 http://docs.example.com:8080/; echo "over $?"');
  await vi.waitFor(() => expect(stage.lastCall?.output).toContain('begun'), { timeout: 20_000 });
  stage.network.revoke('docs.example.com');
  await turn;
  expect(stage.lastCall?.output).toMatch(/over (18|56)/);
  expect(stage.network.list()).toEqual([]);
});

test('forbidden hosts, private addresses and metadata services are never asked about', async () => {
  await using stage = await new Connected(programs).connect({
    allowed: () => ['docs.example.com', 'inside.example.com'].map(each => parseDomain(each)),
    forbidden: () => ['nowhere.test'],
  });
  await stage.session.prompt(
    'run: for host in www.nowhere.test inside.example.com 10.0.0.5 169.254.169.254; do curl -s --noproxy "" http://$host/ > /dev/null; done; true',
  );
  expect(stage.events.filter(({ type }) => type === 'approval')).toEqual([]);
  const { output = '', denials } = stage.lastCall ?? {};
  expect(output).toContain('The setting "cordon.network.deniedDomains" forbids it.');
  expect(output).toContain('inside.example.com leads to 10.0.0.5');
  expect(output).toContain('The user can allow 10.0.0.5.');
  expect(denials?.map(each => (each.kind === 'host' ? [each.host, each.grant] : []))).toEqual([
    ['www.nowhere.test', undefined],
    ['inside.example.com', '10.0.0.5'],
    ['10.0.0.5', '10.0.0.5'],
    ['169.254.169.254', undefined],
  ]);
});

test('a denial can be lifted afterwards, exactly that one', async () => {
  await using stage = await new Connected(programs).connect();
  const turn = stage.session.prompt('run: curl -sS http://docs.example.com/page; cat .env');
  stage.write('.env', 'TOKEN=1');
  stage.session.answerApproval((await stage.approval()).id, { kind: 'deny' });
  await turn;
  const { id = '', denials } = stage.lastCall ?? {};
  expect(denials?.map(({ kind }) => kind)).toEqual(['host', 'secretFile']);
  expect(stage.session.liftDenial(id, 2, 'session')).toBe(false);
  expect(stage.session.liftDenial(id, 1, 'always')).toBe(false);
  expect([stage.session.liftDenial(id, 0, 'session'), stage.session.liftDenial(id, 1, 'session')]).toEqual([
    true,
    true,
  ]);
  expect(stage.lastCall?.denials).toMatchObject([{ cured: 'session' }, { cured: 'session' }]);
  await stage.session.prompt('run: curl -sS http://docs.example.com/page; cat .env');
  expect(stage.lastCall?.output).toBe('hello from docs.example.com/page\nTOKEN=1');
});

test('where nobody can be asked, the result says how to allow the host', async () => {
  const unattended = {
    command: '',
    write: '',
    protectedWrite: '',
    folder: '',
    host: (grant: string) => `Use --allow-domain ${grant}.`,
  };
  await using stage = await new Connected(programs).connect({}, { unattended });
  await stage.session.prompt(fetchPage.replace('/page', ':8443/page'));
  expect(stage.lastCall?.output).toContain(
    'The command did not reach docs.example.com:8443. Use --allow-domain docs.example.com:8443.',
  );
});

test('where commands cannot be given a way out they run without one, and it is said', async () => {
  await using stage = await new Connected(programs).connect();
  stage.network.service.onUnavailable?.(new Error('no nsenter'));
  await stage.session.prompt('run: echo runs');
  expect(stage.lastCall?.output).toBe('runs\n');
  expect(stage.items('notice')).toMatchObject([
    { level: 'warning', code: 'network.unavailable', text: expect.stringContaining('no nsenter') },
  ]);
});
