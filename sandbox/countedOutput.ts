import { Transform, type Readable } from 'node:stream';
import { limitMessages } from './limits.ts';

/** Standard output and error, counted together. Taken up at once: Node drops what nobody reads when a process ends. */
export class CountedOutput {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  #printed = 0;
  #exceeded: ((message: string) => void) | undefined;

  constructor(
    stdout: Readable | null,
    stderr: Readable | null,
    private readonly limit: number,
  ) {
    this.stdout = this.#counted(stdout);
    this.stderr = this.#counted(stderr);
  }

  onExceeded(listener: (message: string) => void): void {
    this.#exceeded = listener;
    if (this.#printed > this.limit) listener(limitMessages.output(this.limit));
  }

  /** What an ended process said on standard error: the wall's own words when it fails. */
  async lastWords(): Promise<string> {
    const chunks: Buffer[] = [];
    this.stdout?.resume();
    for await (const chunk of this.stderr ?? []) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8').trim().slice(0, 1_000);
  }

  #counted(stream: Readable | null): Readable | null {
    if (stream === null) return null;
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#printed += chunk.length;
        if (this.#printed > this.limit) this.#exceeded?.(limitMessages.output(this.limit));
        done(null, chunk);
      },
    });
    stream.on('error', () => counter.end());
    return stream.pipe(counter);
  }
}
