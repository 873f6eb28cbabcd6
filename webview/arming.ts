import { useEffect, useState } from 'preact/hooks';

/** How long what can be pressed does nothing after it appeared or moved, in milliseconds. */
const armingDelay = 500;

/**
 * False for half a second after the component appeared, and again after `place` changed: what slides under the pointer,
 * or comes up under a hand that is typing, must not be answered by accident. A hidden window does not arm.
 */
export function useArmed(place: string): boolean {
  const [armedPlace, setArmedPlace] = useState<string | null>(null);
  useEffect(() => {
    setArmedPlace(null);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') timer = setTimeout(() => setArmedPlace(place), armingDelay);
      else setArmedPlace(null);
    };
    start();
    document.addEventListener('visibilitychange', start);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', start);
    };
  }, [place]);
  return armedPlace === place;
}
