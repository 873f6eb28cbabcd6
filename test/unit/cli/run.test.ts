import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { takeCredential } from '../../../src/cli/credential.ts';
import { readRunArguments } from '../../../src/cli/runArguments.ts';
import { plainReport } from '../../../src/cli/runReport.ts';
import type { ToolCallItem } from '../../../src/protocol/transcript.ts';

test('a task with nothing but words has safe defaults', () => {
  expect(readRunArguments(['Fix', 'the tests'])).toEqual({
    kind: 'right',
    task: 'Fix the tests',
    folders: [process.cwd()],
    named: [],
    session: undefined,
    provider: 'anthropic',
    model: undefined,
    baseUrl: undefined,
    approve: 'allowlist',
    apply: false,
    json: false,
    allowDomains: [],
  });
});

test('a task that begins with a dash comes after two', () => {
  expect(readRunArguments(['--apply', '--', '--help', 'me'])).toMatchObject({
    task: '--help me',
    apply: true,
  });
});

test('the key is taken out of the environment', () => {
  const environment = { CORDON_API_KEY: 'sk-1', OTHER: 'x' };
  expect([
    takeCredential(environment),
    environment,
    takeCredential(environment),
    takeCredential({ CORDON_API_KEY: '' }),
  ]).toEqual(['sk-1', { OTHER: 'x' }, undefined, undefined]);
});

const call: ToolCallItem = {
  id: 'c',
  at: 1,
  kind: 'toolCall',
  tool: 'execute',
  title: 'Run ls',
  command: 'ls\u202e',
  locations: [],
  diffs: [],
  output: '',
  state: { kind: 'running', since: 1 },
};

test('the plain report tells what is said on one stream and what is done on the other, and steers no terminal', () => {
  const out = new PassThrough({ encoding: 'utf8' });
  const err = new PassThrough({ encoding: 'utf8' });
  const report = plainReport(out, err);
  report.start({ session: 's', folders: ['/w'], model: 'm', provider: 'demo' });
  report.event({
    type: 'item',
    item: { id: 'm', at: 1, kind: 'assistant', text: 'Hel', state: 'streaming' },
  });
  report.event({ type: 'text', id: 'm', text: 'lo \u001b[2Jthere' });
  report.event({
    type: 'item',
    item: { id: 'm', at: 1, kind: 'assistant', text: 'Hello \u001b[2Jthere', state: 'complete' },
  });
  report.event({ type: 'item', item: { id: 't', at: 1, kind: 'thought', text: '', state: 'streaming' } });
  report.event({ type: 'text', id: 't', text: 'secretly' });
  report.event({ type: 'item', item: call });
  report.event({ type: 'output', id: 'c', text: '\u001b[31mred\u001b[0m\r\n' });
  report.event({
    type: 'item',
    item: { ...call, state: { kind: 'finished', ok: true, exit: { code: 0, signal: null } } },
  });
  report.end('done', '');
  expect([out.read(), err.read()]).toEqual([
    'Hello there\n',
    'm · /w\n$ ls⟨U+202E⟩\nred\n✓ exit status 0\ndone.\n',
  ]);
});
