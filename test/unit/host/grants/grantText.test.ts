import { expect, test } from 'vitest';
import type { Grant } from '../../../../src/host/grants/grantSource.ts';
import { ago, grantText } from '../../../../src/host/grants/grantText.ts';

const now = new Date(2026, 4, 1, 12).getTime();
const minute = 60_000;
const grant: Grant = {
  id: '1',
  label: '/srv/data',
  what: 'read',
  answer: 'today',
  createdAt: now - 90 * minute,
  lastUsedAt: now - 5 * minute,
  uses: 3,
  expiresAt: now + 12 * 60 * minute,
};

test('a grant says what it allows, how long, how often it was used, and how old it is', () => {
  expect(grantText(grant, now)).toBe('read · today · used 3 times, last 5 minutes ago · given 1 hour ago');
});

test.each<[Partial<Grant>, string]>([
  [
    { answer: 'once', uses: 1 },
    'read · until the turn ends · used once, last 5 minutes ago · given 1 hour ago',
  ],
  [{ answer: 'never' }, 'read · never · given 1 hour ago'],
  [{ answer: 'always', expiresAt: null, uses: 0 }, 'read · always · not used yet · given 1 hour ago'],
  [{ answer: 'session', uses: undefined, createdAt: null }, 'read · for this session'],
  [
    { answer: 'always', expiresAt: new Date(2026, 4, 3).getTime(), createdAt: null },
    `read · until ${new Date(2026, 4, 2).toLocaleDateString()} · used 3 times, last 5 minutes ago`,
  ],
])('%j', (changes, text) => {
  expect(grantText({ ...grant, ...changes }, now)).toBe(text);
});

test('time is told in the largest unit that fits', () => {
  expect(
    [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 200_000].map(each => ago(now - each * 1_000, now)),
  ).toEqual([
    'just now',
    'just now',
    '1 minute ago',
    '59 minutes ago',
    '1 hour ago',
    '23 hours ago',
    '1 day ago',
    '2 days ago',
  ]);
  expect(ago(now + 5_000, now)).toBe('just now');
});
