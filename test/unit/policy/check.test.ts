import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkCommand } from '../../../src/cli/check.ts';
import { Workspace } from './workspace.ts';

const workspace = new Workspace({
  '.vscode/settings.json': '{ "cordon.commands.rules": { "make all": "allow", "ls -R": "deny" } }',
});
const before = { home: process.env['HOME'], config: process.env['XDG_CONFIG_HOME'] };
beforeAll(() => {
  const config = join(workspace.root, 'config');
  mkdirSync(join(config, 'cordon'), { recursive: true });
  writeFileSync(
    join(config, 'cordon', 'settings.json'),
    '{ "cordon.commands.rules": { "make mine": "allow", "a*b": "allow" } }',
  );
  process.env['XDG_CONFIG_HOME'] = config;
});
afterAll(() => {
  if (before.config === undefined) delete process.env['XDG_CONFIG_HOME'];
  else process.env['XDG_CONFIG_HOME'] = before.config;
  workspace[Symbol.dispose]();
});

async function check(argv: readonly string[], input: Iterable<string> = []) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = Promise.all([text(stdout), text(stderr)]);
  const status = await checkCommand(argv, undefined, { stdin: Readable.from(input), stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, error] = await output;
  return { status, out, error };
}
const here = () => ['--workspace', workspace.folder];

test.each<[string, number]>([
  ['ls -la', 0],
  ['rm x', 10],
  ['rm -rf /', 20],
  ['make mine', 0],
  ['make all', 10],
  ['ls -R', 20],
])('%s exits with %i', async (command, status) => {
  expect((await check([...here(), command])).status).toBe(status);
});

test('the decision is printed with its reasons, or as JSON', async () => {
  expect((await check([...here(), 'cat /etc/passwd'])).out).toBe(
    'Asked (risk 45 of 100)\n- This leads out of the workspace: /etc/passwd [path.outsideWorkspace]\n    cat »/etc/passwd«\n',
  );
  expect(JSON.parse((await check(['--json', ...here(), 'cat /etc/passwd'])).out)).toEqual({
    decision: 'ask',
    risk: 45,
    reasons: [
      {
        code: 'path.outsideWorkspace',
        message: 'This leads out of the workspace: /etc/passwd',
        span: [4, 15],
      },
    ],
  });
});

test('a rule that cannot be read is named', async () => {
  expect((await check([...here(), 'ls'])).error).toContain('the user rule "a*b" does not count');
});

test.each([
  [[]],
  [['--workspace']],
  [['--workspace', '/nowhere/at/all', 'ls']],
  [['--unknown', 'ls']],
  [['--jsonl', 'ls']],
])('wrong use %j exits with 2 and prints no decision', async argv => {
  expect(await check(argv)).toMatchObject({ status: 2, out: '' });
});

test('a stream is answered line by line, in order, whatever the lines are', async () => {
  const input = [
    '{"id":1,"command":"ls"}\n{"id":"two","comm',
    'and":"rm x"}\n\nnot json\n{"id":3}\n{"id":4,"command":"cat a.ts","cwd":"src"}\n',
    '{"id":5,"command":"cat ../x"}',
  ];
  const { status, out } = await check(['--jsonl', ...here()], input);
  const answers = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { id: unknown; decision: string });
  expect([status, answers.map(({ id, decision }) => [id, decision])]).toEqual([
    0,
    [
      [1, 'allow'],
      ['two', 'ask'],
      [null, 'ask'],
      [3, 'ask'],
      [4, 'allow'],
      [5, 'ask'],
    ],
  ]);
});

test('an answer comes before the next question is asked', async () => {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const done = checkCommand(['--jsonl', ...here()], undefined, { stdin, stdout, stderr: new PassThrough() });
  stdin.write('{"id":1,"command":"ls"}\n');
  const [first] = (await new Promise<Buffer>(resolve => stdout.once('data', resolve))).toString().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ id: 1, decision: 'allow' });
  stdin.end();
  expect(await done).toBe(0);
});
