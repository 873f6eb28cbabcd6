/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  /** The bytes as they came, with the blank line that ends it. */
  readonly raw: Uint8Array;
  /** Empty when the event has no data (a comment, a ping). */
  readonly data: string;
}

/** An event that grew beyond this, in bytes, is no event. */
const largestEvent = 8_000_000;

/**
 * Cuts a stream into events without changing a byte. Only whole events come out: what is left when the stream ends
 * inside one is dropped, as the standard says. Throws a RangeError when an event grows without end.
 */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let held = Buffer.alloc(0);
  let searched = 0;
  for await (const chunk of body) {
    held = Buffer.concat([held, chunk]);
    for (let end = endOfEvent(held, searched); end >= 0; end = endOfEvent(held, 0)) {
      yield eventOf(held.subarray(0, end));
      held = held.subarray(end);
      searched = 0;
    }
    if (held.length > largestEvent) throw new RangeError('The event is too long.');
    // The blank line may lie across two chunks.
    searched = Math.max(0, held.length - 3);
  }
}

/** Where the first event from `start` ends, past its blank line; -1 when it is not whole yet. */
function endOfEvent(bytes: Buffer, start: number): number {
  const ends = ['\n\n', '\r\n\r\n', '\r\r']
    .map(blank => ({ at: bytes.indexOf(blank, start), length: blank.length }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  return ends[0] === undefined ? -1 : ends[0].at + ends[0].length;
}

function eventOf(raw: Buffer): ServerSentEvent {
  const data: string[] = [];
  for (const line of raw.toString('utf8').split(/\r\n|\r|\n/)) {
    if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
  }
  return { raw, data: data.join('\n') };
}
