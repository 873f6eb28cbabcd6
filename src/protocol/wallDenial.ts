import * as z from 'zod';

/** What a wall refused a command, and the smallest thing that would cure it. `words` is the sentence for the user. */
export const WallDenial = z.discriminatedUnion('kind', [
  /** `grant` is what to allow, HOST or HOST:PORT; absent where nothing would help. */
  z.object({
    kind: z.literal('host'),
    host: z.string(),
    port: z.number().int().optional(),
    grant: z.string().optional(),
    words: z.string(),
    cured: z.enum(['session', 'always']).optional(),
  }),
  z.object({ kind: z.literal('limit'), setting: z.string(), words: z.string() }),
  z.object({
    kind: z.literal('secretFile'),
    path: z.string(),
    words: z.string(),
    cured: z.enum(['once', 'session']).optional(),
  }),
  /** A copy of the workspace cannot change or link to a file that is not the user's own, nor rename some folders. */
  z.object({ kind: z.literal('notCopied'), words: z.string() }),
  /** A program wanted to look into another one. */
  z.object({ kind: z.literal('tracing'), words: z.string() }),
  z.object({ kind: z.literal('protectedPath'), path: z.string(), words: z.string() }),
  z.object({
    kind: z.literal('outside'),
    path: z.string(),
    access: z.enum(['read', 'write']),
    words: z.string(),
  }),
]);
export type WallDenial = z.infer<typeof WallDenial>;
