import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** How long what can be pressed does nothing after it appeared or moved, in milliseconds. */
const armingDelay = 500;

/** Movement that counts, in CSS pixels. */
const noticeable = 2;

/**
 * False for half a second after the component appeared, and again after `place` changed or `element` moved on the
 * screen: what slides under the pointer, or comes up under a hand that is typing, must not be answered by accident.
 * A hidden window does not arm.
 */
export function useArmed(place: string, element?: RefObject<HTMLElement | null>): boolean {
  const [armedPlace, setArmedPlace] = useState<string | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      clearTimeout(timer);
      setArmedPlace(null);
      if (document.visibilityState === 'visible') timer = setTimeout(() => setArmedPlace(place), armingDelay);
    };
    start();
    document.addEventListener('visibilitychange', start);
    const unwatch = element === undefined ? undefined : watchMovement(element, start);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', start);
      unwatch?.();
    };
  }, [place]);
  return armedPlace === place;
}

/** Calls `onMove` in each frame in which the element stands elsewhere than before; returns how to end it. */
function watchMovement(element: RefObject<HTMLElement | null>, onMove: () => void): () => void {
  const top = () => element.current?.getBoundingClientRect().top ?? 0;
  let before = top();
  const look = () => {
    const now = top();
    if (Math.abs(now - before) > noticeable) {
      before = now;
      onMove();
    }
    frame = requestAnimationFrame(look);
  };
  let frame = requestAnimationFrame(look);
  return () => cancelAnimationFrame(frame);
}
