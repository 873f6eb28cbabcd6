import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact, redactStream } from '../../../src/gateway/redact.ts';
import { serverSentEvents } from '../../../src/gateway/sse.ts';

/** The bytes of a text, divided at these places. */
function divided(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function eventsOf(chunks: readonly Uint8Array[]) {
  const events = [];
  for await (const { raw, data } of serverSentEvents(each(chunks)))
    events.push({ raw: Buffer.from(raw).toString(), data });
  return events;
}

test('events come out whole and byte for byte, wherever chunks divide them', async () => {
  const blank = fc.constantFrom('\n\n', '\r\n\r\n', '\r\r');
  const line = fc.constantFrom('data: {"a":"ü€😀"}', 'data:x', 'event: ping', ': comment', 'data: ', 'id: 7');
  const events = fc.array(fc.tuple(line, blank), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(events, fc.array(fc.nat()), async (parts, cuts) => {
      const texts = parts.map(([text, end]) => text + end);
      const found = await eventsOf(divided(texts.join(''), cuts));
      expect(found.map(event => event.raw)).toEqual(texts);
    }),
  );
});

test('data is read as the standard says; what is left unfinished is dropped', async () => {
  const text = 'event: a\ndata: one\ndata:two\n\n: ping\n\ndata: unfinished\n';
  expect((await eventsOf([Buffer.from(text)])).map(event => event.data)).toEqual(['one\ntwo', '']);
});

test('an event without end is given up', async () => {
  const endless = Array.from({ length: 10 }, () => Buffer.alloc(1_000_000, 'x'));
  await expect(eventsOf(endless)).rejects.toThrow(RangeError);
});

const secret = 'sk-aab-aabaab-x';

async function redacted(chunks: readonly Uint8Array[]): Promise<string> {
  const stream = ReadableStream.from(chunks).pipeThrough(redactStream(secret));
  return Buffer.from(await new Response(stream).arrayBuffer()).toString();
}

test('a secret is taken out wherever chunks divide it, and nothing else changes', async () => {
  const piece = fc.constantFrom(secret, secret.slice(0, 7), secret.slice(3), 'sk-aab-', 'a', 'ü', '\n');
  await fc.assert(
    fc.asyncProperty(fc.array(piece), fc.array(fc.nat()), async (pieces, cuts) => {
      const text = pieces.join('');
      expect(await redacted(divided(text, cuts))).toBe(redact(text, secret));
      expect(redact(text, secret)).not.toContain(secret);
    }),
  );
});

test('text without the secret passes at once, chunk by chunk', async () => {
  const { readable, writable } = redactStream(secret);
  const writer = writable.getWriter();
  const reader = readable.getReader();
  for (const word of ['data: hello\n\n', 'data: world\n\n']) {
    void writer.write(Buffer.from(word));
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(word);
  }
});

test('placeholders of local servers are not secrets', () => {
  expect(redact('I am ollama', 'ollama')).toBe('I am ollama');
  expect(redact('nothing', '')).toBe('nothing');
});
