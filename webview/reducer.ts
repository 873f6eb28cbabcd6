import type { HostMessage, PanelState } from '../src/protocol/panel.ts';
import { applyEvent } from '../src/protocol/transcript.ts';

/**
 * What the panel shows after one more message of the host's. Pure. A state that is sent again changes nothing, and
 * whatever in a new state equals the old keeps its identity, so that only what changed is drawn again.
 */
export function reduce(shown: PanelState | null, message: HostMessage): PanelState | null {
  switch (message.type) {
    case 'state':
      return shown === null ? message.state : sharing(shown, message.state);
    case 'event':
      if (shown === null || shown.conversation.id !== message.conversationId) return shown;
      return { ...shown, conversation: applyEvent(shown.conversation, message.event) };
    case 'focusPrompt':
      return shown;
  }
}

/** `next`, built from parts of `old` wherever the two are equal; `old` itself when they are equal throughout. */
function sharing<T>(old: T, next: T): T {
  if (Object.is(old, next)) return old;
  if (Array.isArray(old) && Array.isArray(next)) {
    const before: unknown[] = old;
    const shared = next.map((value: unknown, index) => sharing(counterpart(before, value, index), value));
    const same = shared.length === before.length && shared.every((value, index) => value === before[index]);
    return (same ? old : shared) as T;
  }
  if (!isRecord(old) || !isRecord(next)) return next;
  const keys = Object.keys(next);
  const shared = Object.fromEntries(keys.map(key => [key, sharing(old[key], next[key])]));
  const same =
    keys.length === Object.keys(old).length && keys.every(key => key in old && shared[key] === old[key]);
  return (same ? old : shared) as T;
}

// Items only ever come at the end or change in place, so the same index nearly always holds the same item.
function counterpart(before: readonly unknown[], value: unknown, index: number): unknown {
  const there = before[index];
  return isRecord(there) && isRecord(value) && there['id'] !== value['id'] ? undefined : there;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
