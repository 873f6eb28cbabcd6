import type { OnReadOpts, Socket } from 'node:net';

/** Takes a piece of what a host sent. `done` must be called once the piece is not needed any more: it is written over. */
export type Sink = (piece: Buffer, done: () => void) => void;

/**
 * Passes on what a host sends, in large pieces and without a new buffer for each: half of the processor time of two
 * joined streams, and the broker shares its processor with the editor.
 */
export class Downstream {
  /** Made when they are first needed, and larger ones once they are filled: most answers are small. */
  readonly #buffers: Buffer[] = [];
  #size = firstSize;
  #next = 0;
  #upstream: Socket | undefined;
  #sink: Sink | undefined;
  /** Pieces that a buffer still holds. They are given back in the order in which they came. */
  #pending = 0;
  readonly #early: Buffer[] = [];

  /** For the making of the connection. */
  readonly onread: OnReadOpts = {
    buffer: () => {
      this.#next = (this.#next + 1) % bufferCount;
      const buffer = this.#buffers[this.#next];
      if (buffer?.length === this.#size) return buffer;
      return (this.#buffers[this.#next] = Buffer.allocUnsafeSlow(this.#size));
    },
    callback: (length, buffer) => {
      const piece = Buffer.from(buffer.buffer, buffer.byteOffset, length);
      if (length === buffer.length) this.#size = Math.min(buffer.length * 4, lastSize);
      this.#pending += 1;
      if (this.#sink === undefined) this.#early.push(piece);
      else this.#deliver(piece);
      return this.#pending < bufferCount;
    },
  };

  /** Whether somebody takes what comes. */
  get isStarted(): boolean {
    return this.#sink !== undefined;
  }

  /** Begins to pass on, also what came before. The end is passed on too. */
  start(upstream: Socket, client: Socket): void {
    this.startInto(
      upstream,
      (piece, done) => void client.write(piece, done),
      () => void client.end(),
    );
  }

  startInto(upstream: Socket, sink: Sink, onEnd: () => void): void {
    this.#upstream = upstream;
    this.#sink = sink;
    for (const piece of this.#early.splice(0)) this.#deliver(piece);
    upstream.once('end', onEnd);
    upstream.resume();
  }

  #deliver(piece: Buffer): void {
    this.#sink?.(piece, () => {
      this.#pending -= 1;
      this.#upstream?.resume();
    });
  }
}

// Bytes.
const firstSize = 64 * 1024;
const lastSize = 1024 * 1024;
const bufferCount = 2;
