import type { CallState, TranscriptItem } from '../protocol/transcript.ts';

/** The item as it stands when its session is gone: what was under way did not end well, and is not under way. */
export function interrupted(item: TranscriptItem): TranscriptItem {
  if (item.kind === 'assistant' || item.kind === 'thought') {
    return item.state === 'streaming' ? { ...item, state: 'cut' } : item;
  }
  if (item.kind === 'toolCall' && isOpen(item.state)) return { ...item, state: { kind: 'cancelled' } };
  return item;
}

/** Whether the call still waits or runs. */
export function isOpen(state: CallState): boolean {
  return state.kind === 'pending' || state.kind === 'awaitingApproval' || state.kind === 'running';
}
