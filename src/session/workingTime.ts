/** Milliseconds of work in one turn, where nothing else is said. */
export const turnTime = 60 * 60 * 1_000;

/**
 * Calls `onOver` once, when so many milliseconds of work have passed. Time in which the user is being asked does not
 * count. Dispose it when the work ends.
 */
export function watchWorkingTime(limit: number, isWaiting: () => boolean, onOver: () => void): Disposable {
  let worked = 0;
  const tick = Math.min(longestTick, limit);
  const timer = setInterval(() => {
    if (!isWaiting()) worked += tick;
    if (worked < limit) return;
    clearInterval(timer);
    onOver();
  }, tick);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Milliseconds between two looks. */
const longestTick = 5_000;

/** Whole minutes, or seconds below two of them. */
export function timeWords(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds >= 120) return `${Math.round(seconds / 60)} minutes`;
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}
