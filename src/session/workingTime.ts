/**
 * Calls `onOver` once, when so many milliseconds of work have passed. Time in which the user is being asked does not
 * count. Dispose it when the work ends.
 */
export function watchWorkingTime(limit: number, isWaiting: () => boolean, onOver: () => void): Disposable {
  let worked = 0;
  const timer = setInterval(() => {
    if (!isWaiting()) worked += tick;
    if (worked < limit) return;
    clearInterval(timer);
    onOver();
  }, tick);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Milliseconds. */
const tick = 5_000;
