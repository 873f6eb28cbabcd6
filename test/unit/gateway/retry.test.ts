import { expect, test } from 'vitest';
import type { Problem } from '../../../src/gateway/problem.ts';
import { readRetryAfter, retryDelay, retryHeaders, withLongWait } from '../../../src/gateway/retry.ts';

const passing: Problem = { code: 'gateway.x', message: 'M.', remedy: 'R.', status: 429, passes: true };
const lasting: Problem = { ...passing, passes: false };

test('what passes is asked again four times, waiting longer each time', () => {
  expect([0, 1, 2, 3, 4, 5].map(attempt => retryDelay(passing, attempt, undefined))).toEqual([
    0.5,
    1,
    2,
    4,
    undefined,
    undefined,
  ]);
});

test('what lasts is not asked again', () => {
  expect(retryDelay(lasting, 0, 1)).toBeUndefined();
});

test('the provider’s own wish counts, up to a minute', () => {
  expect([0, 3, 60, 61].map(wish => retryDelay(passing, 0, wish))).toEqual([0.1, 3, 60, undefined]);
});

test('a longer wait is left to the user, in minutes', () => {
  expect(withLongWait(passing, 61).remedy).toBe(
    'It asks to wait 2 minutes; send the message again then, or choose another model.',
  );
  expect(withLongWait(passing, 60)).toBe(passing);
  expect(withLongWait(lasting, 600)).toBe(lasting);
});

test('the headers tell SDKs exactly that', () => {
  expect(retryHeaders(undefined)).toEqual({ 'x-should-retry': 'false' });
  expect(retryHeaders(1.5)).toEqual({
    'x-should-retry': 'true',
    'retry-after-ms': '1500',
    'retry-after': '2',
  });
});

test.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': '0.5' }, 0.5],
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 0.25],
  [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30],
  [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': '-1' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '1.5s' }, undefined],
  [{}, undefined],
])('%j means %s seconds', (headers, seconds) => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  expect(readRetryAfter(new Headers(Object.entries(headers)), now)).toBe(seconds);
});
