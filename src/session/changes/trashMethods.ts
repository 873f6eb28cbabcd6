import type { TrashCan } from './trashCan.ts';

/** What may be called on the thread of the trash. */
export const trashMethods = [
  'list',
  'content',
  'restore',
  'undo',
  'recover',
] as const satisfies readonly (keyof TrashCan)[];
