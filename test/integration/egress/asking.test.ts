import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EgressTarget } from '../../../src/egress/egressProxy.ts';
import { Internet, Walls } from './internet.ts';

const site = '93.184.216.34';
let internet: Internet;
let walls: Walls | undefined;
beforeAll(async () => {
  internet = new Internet(['docs.example.com']);
  internet.name('docs.example.com', [site]).name('inside.example.com', ['10.0.0.5']);
  await internet.web(site, 80);
  await internet.secureWeb(site, 443);
});
afterAll(() => internet?.[Symbol.asyncDispose]());
afterEach(async () => {
  await walls?.[Symbol.asyncDispose]();
  internet.seen.length = 0;
  internet.connected.length = 0;
});

interface Question {
  readonly target: EgressTarget;
  readonly signal: AbortSignal;
  answer(said: 'allow' | 'deny'): void;
  fail(): void;
}

function asking() {
  const questions: Question[] = [];
  const ask = (target: EgressTarget, _owner: string | undefined, signal: AbortSignal) =>
    new Promise<'allow' | 'deny'>((resolve, reject) => {
      questions.push({ target, signal, answer: resolve, fail: () => reject(new Error('the panel is gone')) });
    });
  const asked = async (count: number) => {
    while (questions.length < count) await wait(10);
    return questions;
  };
  return { ask, questions, asked };
}

describe('a host that is not allowed is asked while the connection waits', () => {
  test.each(['http', 'https'])('and goes through over %s when the user allows it', async scheme => {
    const { ask, asked } = asking();
    walls = await Walls.open(internet, [], { ask });
    const running = walls.run(`curl -sS ${scheme}://docs.example.com/page`);
    const [question] = await asked(1);
    expect(internet.connected).toEqual([]);
    expect(question?.target).toEqual({ host: 'docs.example.com', port: scheme === 'http' ? 80 : 443 });
    question?.answer('allow');
    expect((await running).out).toBe('hello from docs.example.com/page\n');
  });

  test.each([
    ['the user denies it', (question?: Question) => question?.answer('deny')],
    ['the question fails', (question?: Question) => question?.fail()],
  ])('and is refused when %s', async (_, settle) => {
    const { ask, asked } = asking();
    walls = await Walls.open(internet, [], { ask });
    const running = walls.run('curl -sS http://docs.example.com/page');
    settle((await asked(1))[0]);
    expect((await running).out).toContain('docs.example.com:80 is not allowed');
    expect(internet.connected).toEqual([]);
  });

  test('once, for all connections that wait for it', async () => {
    const { ask, asked, questions } = asking();
    walls = await Walls.open(internet, [], { ask });
    const running = walls.run('for i in 1 2 3 4 5; do curl -sS http://docs.example.com/page & done; wait');
    const [question] = await asked(1);
    await wait(1_000);
    question?.answer('allow');
    expect((await running).out).toBe('hello from docs.example.com/page\n'.repeat(5));
    expect(questions.length).toBe(1);
  });

  test('and the question is withdrawn when the program is gone', async () => {
    const { ask, asked } = asking();
    walls = await Walls.open(internet, [], { ask });
    await walls.run(
      'timeout 1 curl -sS https://docs.example.com/page; timeout 1 curl -sS --proxy $CORDON_SOCKS http://docs.example.com/',
    );
    const questions = await asked(2);
    while (questions.some(({ signal }) => !signal.aborted)) await wait(10);
    for (const question of questions) question.answer('allow');
    await wait(100);
    expect(internet.connected).toEqual([]);
  });

  test('and refused when nobody answers in time', async () => {
    const { ask, questions } = asking();
    walls = await Walls.open(internet, [], { ask, limits: { ask: 500 } });
    const { out } = await walls.run('curl -sS http://docs.example.com/page');
    expect(out).toContain('docs.example.com:80 is not allowed');
    expect(questions[0]?.signal.aborted).toBe(true);
  });
});

test('nobody is asked about private addresses and metadata services', async () => {
  const { ask, questions } = asking();
  walls = await Walls.open(internet, ['inside.example.com'], { ask });
  await walls.run(
    'for host in 10.0.0.5 127.0.0.1 169.254.169.254 metadata.google.internal inside.example.com; do curl -sS --noproxy "" http://$host/; done',
  );
  expect(questions).toEqual([]);
  expect(walls.refusals).toEqual(['egress.privateAddress', 'egress.metadata']);
});

test('an address that the user allowed by itself is reached, also by a name that leads there', async () => {
  await internet.web('10.0.0.5', 8080);
  walls = await Walls.open(internet, ['inside.example.com:8080', '10.0.0.5:8080']);
  const { out } = await walls.run(
    'curl -sS http://10.0.0.5:8080/a; curl -sS http://inside.example.com:8080/b',
  );
  expect(out).toBe('hello from 10.0.0.5:8080/a\nhello from inside.example.com:8080/b\n');
});
