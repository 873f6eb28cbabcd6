import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Downstream, Sink } from './downstream.ts';

/** The head of an answer whose content is exactly so many bytes long. */
export interface LongAnswer {
  readonly status: number;
  readonly reason: string;
  /** Name, value, name, value … as Node has them. */
  readonly rawHeaders: readonly string[];
  readonly length: number;
}

/** Takes the content of a long answer: its pieces, and whether it came whole. */
export interface Taker {
  readonly piece: Sink;
  readonly end: (isWhole: boolean) => void;
}

/**
 * The host's side of one exchange, as a stream for Node's HTTP client. An answer with a long content of a plain length
 * goes past that client: its head is read here, and its bytes go on without being parsed, which is several times as
 * fast. Whatever is not quite that plain is left to Node's strict reader.
 */
export class AnswerStream extends Duplex {
  #mode: 'head' | 'stream' | 'taken' = 'head';
  #head = Buffer.alloc(0);
  #whenRead: (() => void) | undefined;
  #taker: Taker | undefined;
  #left = 0;

  constructor(
    private readonly upstream: Socket,
    downstream: Downstream,
    private readonly takes: (answer: LongAnswer) => Taker | undefined,
  ) {
    super();
    upstream.once('close', () => this.#closed());
    downstream.startInto(
      upstream,
      (piece, done) => this.#arrived(piece, done),
      () => this.#ended(),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.upstream.write(chunk, done);
  }

  override _read(): void {
    const resume = this.#whenRead;
    this.#whenRead = undefined;
    resume?.();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.upstream.destroy();
    done(error);
  }

  #arrived(piece: Buffer, done: () => void): void {
    switch (this.#mode) {
      case 'taken':
        return this.#passOn(piece, done);
      case 'stream':
        // The piece is written over, and Node's reader keeps what it was given.
        if (this.push(Buffer.from(piece))) done();
        else this.#whenRead = done;
        return;
      case 'head':
        this.#head = Buffer.concat([this.#head, piece]);
        done();
        return this.#look();
    }
  }

  #look(): void {
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0 && this.#head.length < longestHead) return;
    const answer = end < 0 ? undefined : readLongAnswer(this.#head.toString('latin1', 0, end));
    this.#taker = answer === undefined ? undefined : this.takes(answer);
    if (answer === undefined || this.#taker === undefined) return this.#leaveToNode();
    this.#mode = 'taken';
    this.#left = answer.length;
    const rest = this.#head.subarray(end + 4);
    if (rest.length > 0) this.#passOn(rest, () => undefined);
  }

  #leaveToNode(): void {
    this.#mode = 'stream';
    if (this.#head.length > 0) this.push(this.#head);
  }

  #passOn(piece: Buffer, done: () => void): void {
    // What a host says beyond the length that it gave is not part of the answer.
    const wanted = piece.subarray(0, this.#left);
    this.#left -= wanted.length;
    if (wanted.length === 0) done();
    else this.#taker?.piece(wanted, done);
    if (this.#left === 0) this.#finish(true);
  }

  #finish(isWhole: boolean): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.end(isWhole);
  }

  #ended(): void {
    if (this.#mode === 'taken') return this.#finish(false);
    if (this.#mode === 'head') this.#leaveToNode();
    this.push(null);
  }

  #closed(): void {
    this.#finish(false);
    this.destroy();
  }
}

/** More than Node's client takes, so that it is the one to refuse it. */
const longestHead = 128 * 1024;

/** Below this, going past the reader gains nothing. Bytes. */
const longEnough = 128 * 1024;

/**
 * Reads the head of an answer, without its last empty line. Undefined for everything but the plainest: an ordinary
 * success, exactly one length in digits, no encoding of the transfer, no folded or odd line. Pure.
 */
export function readLongAnswer(head: string): LongAnswer | undefined {
  const [first = '', ...lines] = head.split('\r\n');
  const [, status = '', reason = ''] = /^HTTP\/1\.[01] (20[0-36]) ?([\t\x20-\x7e]*)$/.exec(first) ?? [];
  if (status === '') return undefined;
  const rawHeaders: string[] = [];
  const lengths: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    if (name === '') return undefined;
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding' || lower === 'upgrade') return undefined;
    if (lower === 'content-length') lengths.push(value.trim());
    rawHeaders.push(name, value.trimEnd());
  }
  const [length = ''] = lengths;
  if (lengths.length !== 1 || !/^\d{1,15}$/.test(length) || Number(length) < longEnough) return undefined;
  return { status: Number(status), reason, rawHeaders, length: Number(length) };
}
