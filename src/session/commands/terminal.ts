import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import type { ProcessExit, SandboxedProcess } from '../../../sandbox/sandbox.ts';
import { BoundedText } from './boundedText.ts';

/** One command that runs, or ran, in the sandbox. */
export class Terminal {
  /** Settles when the process is gone and all it printed was read. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #process: SandboxedProcess;
  readonly #kept: BoundedText;
  readonly #onOutput: (text: string) => void;
  #exit: ProcessExit | undefined;
  /** Bytes read since the last pause. */
  #burst = 0;

  /** `outputLimit` in bytes: what is kept for the agent, from the end. */
  constructor(process: SandboxedProcess, outputLimit: number, onOutput: (text: string) => void) {
    this.#process = process;
    this.#kept = new BoundedText(outputLimit);
    this.#onOutput = onOutput;
    this.exited = this.#follow();
  }

  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  output(): { readonly text: string; readonly isTruncated: boolean } {
    return this.#kept.read();
  }

  /** Adds words of the broker's own to the output, for the agent and the user. */
  note(text: string): void {
    const { text: before } = this.#kept.read();
    const line = `${before === '' || before.endsWith('\n') ? '' : '\n'}[Cordon] ${text}\n`;
    this.#kept.append(line);
    this.#onOutput(line);
  }

  /** Ends the whole tree. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  async #follow(): Promise<ProcessExit> {
    const streams = [this.#process.stdout, this.#process.stderr].filter(stream => stream !== null);
    const read = Promise.all(streams.map(stream => this.#read(stream)));
    const exit = await this.#process.exited;
    // The tree is gone, so nobody holds the pipes any more; what is in them still comes.
    await read;
    this.#exit = exit;
    if (exit.limit !== undefined) this.note(exit.limit);
    return exit;
  }

  async #read(stream: Readable): Promise<void> {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (bytes: Buffer) => {
      this.#take(decoder.write(bytes));
      this.#burst += bytes.length;
      if (this.#burst < burst) return;
      // A program that prints without end must not keep the host from everything else.
      this.#burst = 0;
      stream.pause();
      setTimeout(() => stream.resume(), rest);
    });
    await finished(stream, { writable: false }).catch(() => {});
    this.#take(decoder.end());
  }

  #take(text: string): void {
    if (text === '') return;
    this.#kept.append(text);
    this.#onOutput(text);
  }
}

/** Bytes read in one go, and milliseconds of rest after them: at most about 25 MB a second. */
const burst = 512 * 1024;
const rest = 20;
