import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * For an element that goes away once it was used: if the keyboard is inside it then, it goes to the conversation
 * around it and not to nowhere. An element that the user never moved into takes no keyboard with it.
 */
export function useReturnFocus(): RefObject<HTMLDivElement | null> {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const card = element.current;
    return () => {
      if (card?.contains(document.activeElement) === true) card.closest<HTMLElement>('.transcript')?.focus();
    };
  }, []);
  return element;
}
