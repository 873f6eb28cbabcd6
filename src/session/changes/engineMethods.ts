import type { CopyEngine } from './copyEngine.ts';

/** What may be called on the thread of the changes. */
export const engineMethods = [
  'open',
  'beginChange',
  'endChange',
  'review',
  'sides',
  'accept',
  'mergeInto',
  'workedFrom',
  'taken',
  'discard',
  'checkpoint',
  'checkpoints',
  'changedBetween',
  'goBack',
  'mark',
  'changedSince',
  'fork',
  'trash',
  'restore',
  'undo',
  'refresh',
] as const satisfies readonly (keyof CopyEngine)[];
