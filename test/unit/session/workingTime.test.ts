import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { timeWords, turnTime, watchWorkingTime } from '../../../src/session/workingTime.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minute = 60_000;

test('a turn is over after an hour of work, once', () => {
  const over = vi.fn();
  watchWorkingTime(turnTime, () => false, over);
  vi.advanceTimersByTime(60 * minute - 1);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60 * minute);
  expect(over).toHaveBeenCalledTimes(1);
});

test('time in which the user is asked is not work, however long they take', () => {
  const over = vi.fn();
  let isAsked = false;
  watchWorkingTime(turnTime, () => isAsked, over);
  vi.advanceTimersByTime(30 * minute);
  isAsked = true;
  vi.advanceTimersByTime(24 * 60 * minute);
  isAsked = false;
  vi.advanceTimersByTime(29 * minute);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(minute);
  expect(over).toHaveBeenCalledTimes(1);
});

test('after the end of the turn nothing comes any more', () => {
  const over = vi.fn();
  watchWorkingTime(turnTime, () => false, over)[Symbol.dispose]();
  vi.advanceTimersByTime(2 * turnTime);
  expect([over.mock.calls, vi.getTimerCount()]).toEqual([[], 0]);
});

test('a limit is said in minutes, and a short one in seconds', () => {
  expect([turnTime, 90_000, 1_000].map(timeWords)).toEqual(['60 minutes', '90 seconds', '1 second']);
});
