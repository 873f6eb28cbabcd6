import { CordonError } from '../../src/base/errors.ts';

// Wording of everything that can go wrong between the agent and the model, in one place.

/** The stream ended before the message did. */
export function cutStream(cause?: unknown): CordonError {
  return new CordonError(
    'model.cut',
    'The connection to the model broke in the middle of its answer.',
    'Send your message again to go on.',
    { cause },
  );
}

/** The gateway could not be reached, or hung up before the first byte. */
export function unreachable(cause: unknown): CordonError {
  return new CordonError(
    'model.unreachable',
    'The model could not be reached.',
    'Check the connection, then send your message again.',
    { cause },
  );
}

/** The model service answered with an error. `message` is the gateway's or the provider's own sentence. */
export function refusedByService(status: number | undefined, message: string, cause: unknown): CordonError {
  const text =
    message.trim() === '' ? `The model service answered with status ${status ?? 'unknown'}.` : message.trim();
  return new CordonError(status === undefined ? 'model.failed' : `model.status${status}`, text, undefined, {
    cause,
  });
}

/** The answer does not follow the protocol. */
export function invalidAnswer(what: string, cause?: unknown): CordonError {
  return new CordonError(
    'model.invalid',
    `The model's answer could not be read: ${what}.`,
    'Try again; if it stays, choose another model.',
    { cause },
  );
}

/** Whether the request was refused because the conversation is too long, in the gateway's words or a provider's. */
export function isTooLong(error: unknown): boolean {
  if (!(error instanceof CordonError)) return false;
  return (
    error.code === 'model.status413' ||
    (error.code === 'model.status400' && /longer than|too (long|large)|context|tokens/i.test(error.message))
  );
}
