import * as z from 'zod';

// What host and file writer say to each other: one request on standard input, one result on standard output.

export const FileChangeRequest = z.object({
  operation: z.enum(['write', 'delete']),
  /** Absolute. */
  path: z.string(),
  /** For `write`: the whole new content. */
  content: z.string().optional(),
  /** Of the bytes on disk as the caller knows them, in hexadecimal; null: the file must not exist. */
  expectedSha256: z.string().nullable(),
  /** Folders that the path, links resolved, must stay in. Empty: nothing may be changed. */
  roots: z.array(z.string()),
});
export type FileChangeRequest = z.infer<typeof FileChangeRequest>;

export const FileChangeResult = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** Where it was written: another path than asked for where that was a link. */
    path: z.string(),
    existed: z.boolean(),
    /** What was there, when it was UTF-8 text of at most 2 MB. */
    oldContent: z.string().optional(),
  }),
  z.object({
    ok: z.literal(false),
    code: z.enum(['conflict', 'outside', 'notAFile', 'denied', 'invalid', 'failed']),
    message: z.string(),
  }),
]);
export type FileChangeResult = z.infer<typeof FileChangeResult>;

/** Bytes of old content that are handed back for a diff, at most. */
export const mostOldContent = 2 * 2 ** 20;
