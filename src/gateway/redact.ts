/** Shorter values are placeholders of local servers ("ollama", "x"), not secrets; hiding them would garble answers. */
const shortestSecret = 8;

const mark = '[redacted]';

/** The text without the secret. */
export function redact(text: string, secret: string): string {
  return secret.length < shortestSecret ? text : text.replaceAll(secret, mark);
}

/**
 * Takes a secret out of a stream of bytes, wherever chunks divide it. Bytes are held back only while they could be
 * the secret's beginning, so a stream that does not hold it passes without delay.
 */
export function redactStream(secret: string): TransformStream<Uint8Array, Uint8Array> {
  if (secret.length < shortestSecret) return new TransformStream();
  const wanted = Buffer.from(secret);
  let held = Buffer.alloc(0);
  return new TransformStream({
    transform(chunk, controller) {
      let rest = Buffer.concat([held, chunk]);
      for (let at = rest.indexOf(wanted); at >= 0; at = rest.indexOf(wanted)) {
        controller.enqueue(Buffer.concat([rest.subarray(0, at), Buffer.from(mark)]));
        rest = rest.subarray(at + wanted.length);
      }
      const keep = startedAtEnd(rest, wanted);
      if (keep < rest.length) controller.enqueue(rest.subarray(0, rest.length - keep));
      held = rest.subarray(rest.length - keep);
    },
    flush(controller) {
      if (held.length > 0) controller.enqueue(held);
    },
  });
}

/** Length of the longest end of `bytes` that is a beginning of `wanted`. */
function startedAtEnd(bytes: Buffer, wanted: Buffer): number {
  for (let length = Math.min(bytes.length, wanted.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(wanted.subarray(0, length))) return length;
  }
  return 0;
}
