import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** How near the end counts as "at the end", in CSS pixels. */
const slack = 24;

/** Keeping the newest in view without ever fighting the user. */
export interface Following {
  /** The element that scrolls, and the one inside it that grows. */
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** False after the user scrolled up; true again at the end. */
  readonly following: boolean;
  readonly jump: () => void;
}

/**
 * Scrolls along while the content grows, until the user scrolls up; then leaves the place alone until they come back
 * to the end. `start` is where to begin: a place in CSS pixels, or null for the end. `onRest` hears of every place
 * that the user came to (null: the end).
 */
export function useFollowing(start: number | null, onRest: (place: number | null) => void): Following {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(start === null);
  const state = useRef({ following: start === null, top: 0 });

  const set = (value: boolean) => {
    state.current.following = value;
    setFollowing(value);
  };
  const toEnd = () => {
    const element = scroller.current;
    if (element === null) return;
    element.scrollTop = Math.min(element.scrollHeight, topOf(element, '.card'));
    state.current.top = element.scrollTop;
  };

  useEffect(() => {
    const element = scroller.current;
    const inner = content.current;
    if (element === null || inner === null) return undefined;
    if (start !== null) element.scrollTop = start;
    state.current.top = element.scrollTop;
    const grown = new ResizeObserver(() => {
      if (state.current.following) toEnd();
    });
    grown.observe(inner);
    grown.observe(element);
    const onScroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      const atEnd = scrollHeight - clientHeight - scrollTop <= slack;
      // Only upward movement is the user's wish to stay; growth never moves the view up.
      if (atEnd) set(true);
      else if (scrollTop < state.current.top - 1) set(false);
      state.current.top = scrollTop;
      onRest(state.current.following ? null : scrollTop);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      grown.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, []);

  return {
    scroller,
    content,
    following,
    jump: () => {
      set(true);
      toEnd();
    },
  };
}

// What waits for the user is read from its top: its buttons must not be in view without what they are about.
function topOf(scroller: HTMLElement, selector: string): number {
  const element = scroller.querySelector(selector);
  if (element === null) return Infinity;
  return scroller.scrollTop + element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 8;
}
