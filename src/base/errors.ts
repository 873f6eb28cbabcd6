/**
 * An error that speaks to a person. `message` is one plain sentence that names the thing; `remedy` is the way out.
 * Factories for these sit beside the code that knows the cause.
 */
export class CordonError extends Error {
  override readonly name = 'CordonError';

  constructor(
    /** Stable, dotted, for tests and logs: `gateway.wrongKey`, `sandbox.missing`. */
    readonly code: string,
    message: string,
    readonly remedy?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The sentence to show for anything that was thrown. Never contains a stack. */
export function messageOf(error: unknown): string {
  if (error instanceof CordonError) return error.remedy ? `${error.message} ${error.remedy}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
