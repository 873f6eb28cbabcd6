import type { Listing } from './field.ts';

/**
 * What comes out of one command of a pipeline into the next.
 * - `nothing`: the line's own standard input, or none.
 * - `text`: exactly this, as far as it can be told; for recognising what must be denied.
 * - `listing`: paths, one to a line (or separated by null bytes).
 * - `unknown`: anything.
 */
export type Feed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'listing'; readonly listing: Listing }
  | { readonly kind: 'unknown' };

export const noFeed: Feed = { kind: 'nothing' };
export const unknownFeed: Feed = { kind: 'unknown' };
