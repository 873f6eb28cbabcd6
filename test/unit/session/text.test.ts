import { applyPatch } from 'diff';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TranscriptItem } from '../../../src/protocol/transcript.ts';
import { BoundedText } from '../../../src/session/commands/boundedText.ts';
import { earlierTurns } from '../../../src/session/transcript/earlierTurns.ts';
import { fileDiff } from '../../../src/session/files/fileDiff.ts';
import { titleOf } from '../../../src/session/transcript/title.ts';

test('output that is kept within a bound is its end, cut at a character', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 30 })),
      fc.integer({ min: 4, max: 60 }),
      (pieces, limit) => {
        const kept = new BoundedText(limit);
        for (const piece of pieces) kept.append(piece);
        const whole = pieces.join('').toWellFormed();
        const { text, isTruncated } = kept.read();
        const wellFormed = text.toWellFormed();
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        expect(whole.endsWith(wellFormed)).toBe(true);
        expect(isTruncated).toBe(wellFormed.length < whole.length);
        // No more than one character is given up to stay whole.
        expect(!isTruncated || Buffer.byteLength(text) > limit - 4).toBe(true);
      },
    ),
  );
});

test('a diff turns what was into what is', () => {
  const lines = fc
    .array(fc.constantFrom('a', 'b', 'c', '', '-x', '+y', '@@ 1'), { maxLength: 12 })
    .map(all => all.join('\n'));
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const { patch, added, removed } = fileDiff('f', before, after);
      expect(patch === '' ? before : applyPatch(before, `--- f\n+++ f\n${patch}\n`)).toBe(after);
      const marks = patch.split('\n').filter(line => !line.startsWith('@@'));
      expect([added, removed]).toEqual(
        ['+', '-'].map(mark => marks.filter(line => line.startsWith(mark)).length),
      );
    }),
  );
});

test('the diff of a huge rewrite is bounded and cut at a line', () => {
  const { patch } = fileDiff('f', null, Array.from({ length: 50_000 }, (_, at) => `line ${at}`).join('\n'));
  expect(patch.length).toBeLessThanOrEqual(200_000);
  expect(patch).toMatch(/\+line \d+$/);
});

test('a title is the first line that says something, not cut in the middle of a word', () => {
  expect([
    titleOf('\n  Fix   the\ttests \nand more'),
    titleOf('   '),
    titleOf('Please look at the failing test in the slug module and tell me why it fails'),
    titleOf('x'.repeat(100)),
    titleOf(`${'x'.repeat(58)}🦆🦆`),
  ]).toEqual([
    'Fix the tests',
    'New conversation',
    'Please look at the failing test in the slug module and tell…',
    `${'x'.repeat(59)}…`,
    `${'x'.repeat(58)}…`,
  ]);
});

const items: TranscriptItem[] = [
  { id: '1', at: 1, kind: 'user', text: 'Fix it' },
  { id: '2', at: 2, kind: 'thought', text: 'Hm.', state: 'complete' },
  { id: '3', at: 3, kind: 'assistant', text: 'I run the tests.', state: 'complete' },
  {
    id: '4',
    at: 4,
    kind: 'toolCall',
    tool: 'execute',
    title: 'Run npm test',
    command: 'npm test',
    locations: [],
    diffs: [],
    output: 'much',
    state: { kind: 'finished', ok: false, exit: { code: 1, signal: null } },
  },
  {
    id: '5',
    at: 5,
    kind: 'toolCall',
    tool: 'edit',
    title: 'Edit a.js',
    locations: [],
    diffs: [],
    output: '',
    state: { kind: 'denied', by: 'user', reason: 'Not now.' },
  },
  { id: '6', at: 6, kind: 'assistant', text: 'I was', state: 'cut' },
  { id: '7', at: 7, kind: 'turnEnd', reason: 'stopped' },
  { id: '8', at: 8, kind: 'user', text: 'Go on' },
  { id: '9', at: 9, kind: 'notice', level: 'error', code: 'agent.died', text: 'The agent died.' },
  { id: '10', at: 10, kind: 'turnEnd', reason: 'failed' },
];

test('a fresh agent learns who said what and what was done', () => {
  expect(earlierTurns(items, 10_000)).toEqual([
    { role: 'user', text: 'Fix it' },
    {
      role: 'assistant',
      text: 'I run the tests.\n\n[Ran: npm test (exit status 1)]\n\n[Edit a.js (denied: Not now.)]\n\nI was …(cut short)\n\n[The user stopped this turn.]',
    },
    { role: 'user', text: 'Go on' },
    { role: 'assistant', text: '[This turn ended by a failure.]' },
  ]);
});

test('of a long conversation it learns the newest turns', () => {
  expect(earlierTurns(items, 60)).toEqual([
    { role: 'user', text: 'Go on' },
    { role: 'assistant', text: '[This turn ended by a failure.]' },
  ]);
  expect(earlierTurns([], 60)).toEqual([]);
});
