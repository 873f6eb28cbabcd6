/** The bytes of an answer as they come; nothing when it has no body. */
export async function* bodyOf(answer: Response): AsyncGenerator<Uint8Array> {
  if (answer.body !== null) yield* answer.body;
}

/** The body as text, at most `limit` bytes of it; the rest is not read. */
export async function textOf(answer: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(answer)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
