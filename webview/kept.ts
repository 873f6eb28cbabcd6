import * as z from 'zod';

/** What survives closing and reopening the panel. The conversation itself comes from the host. */
const Kept = z.object({
  /** What the user has typed and not sent. */
  draft: z.string().max(200_000),
  /** Where they had scrolled to, in CSS pixels from the top; null for the end. */
  place: z.object({ conversationId: z.string(), top: z.number().nonnegative() }).nullable(),
});
export type Kept = z.infer<typeof Kept>;

/** What was kept, or nothing when it is of another version. */
export function keptFrom(saved: unknown): Kept {
  const parsed = Kept.safeParse(saved);
  return parsed.success ? parsed.data : { draft: '', place: null };
}
