import * as z from 'zod';

/** Why a decision came out as it did. `span` is [from, to) in UTF-16 code units of the judged command text. */
export const Reason = z.object({
  /** Stable and dotted: `rule.allow`, `parse.dynamic`, `path.outsideWorkspace`. */
  code: z.string(),
  message: z.string(),
  span: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
export type Reason = z.infer<typeof Reason>;

export const Verdict = z.enum(['allow', 'ask', 'deny']);
export type Verdict = z.infer<typeof Verdict>;

/** What policy says of one request. Risk is 0 (harmless) to 100 (destroys, leaks or escalates). */
export const Decision = z.object({
  decision: Verdict,
  risk: z.number().int().min(0).max(100),
  reasons: z.array(Reason),
});
export type Decision = z.infer<typeof Decision>;
