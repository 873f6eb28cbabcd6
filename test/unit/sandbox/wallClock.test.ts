import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WallClock, startedClock } from '../../../sandbox/wallClock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Starts it; what was said when it was over comes into the list. */
function started(clock: number | WallClock): { over: string[] } {
  const over: string[] = [];
  startedClock(clock, sentence => over.push(sentence));
  return { over };
}

test('a command that runs all the time is over after its time, once, with the setting named', () => {
  const { over } = started(2_000);
  vi.advanceTimersByTime(1_999);
  expect(over).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(over).toEqual(['It was ended because it ran longer than 2 s (setting "cordon.limits.wallTime").']);
});

test('time in which it stands is not counted, and it runs on afterwards', () => {
  const clock = new WallClock(2_000);
  const { over } = started(clock);
  vi.advanceTimersByTime(1_500);
  const runOn = clock.stand();
  vi.advanceTimersByTime(3_600_000);
  runOn();
  vi.advanceTimersByTime(499);
  expect(over).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(over).toHaveLength(1);
});

test('it stands until the last of several questions is over', () => {
  const clock = new WallClock(1_000);
  const { over } = started(clock);
  const [first, second] = [clock.stand(), clock.stand()];
  first();
  first();
  vi.advanceTimersByTime(5_000);
  expect(over).toEqual([]);
  second();
  vi.advanceTimersByTime(1_000);
  expect(over).toHaveLength(1);
});

test('a question that comes before the command is seen to run counts as well', () => {
  const clock = new WallClock(1_000);
  const runOn = clock.stand();
  const { over } = started(clock);
  vi.advanceTimersByTime(5_000);
  expect(over).toEqual([]);
  runOn();
  vi.advanceTimersByTime(1_000);
  expect(over).toHaveLength(1);
});

test('after the end of the command nothing comes any more, not even from a question that ends later', () => {
  const clock = new WallClock(1_000);
  const { over } = started(clock);
  const runOn = clock.stand();
  clock.end();
  runOn();
  vi.advanceTimersByTime(5_000);
  expect([over, vi.getTimerCount()]).toEqual([[], 0]);
});

test('a time longer than any timer is not over at once', () => {
  const { over } = started(2 ** 31 + 1_000);
  vi.advanceTimersByTime(2 ** 31);
  expect(over).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(over).toHaveLength(1);
});

test('where there is no limit there is no clock', () => {
  expect([startedClock(undefined, () => {}), vi.getTimerCount()]).toEqual([undefined, 0]);
});
