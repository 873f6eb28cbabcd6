import { statfsSync, type StatsFs } from 'node:fs';
import { bytesOnDisk } from './bytesOnDisk.ts';
import { limitMessages } from './limits.ts';
import type { SandboxFacts } from './facts.ts';
import { statOf } from './look.ts';
import type { SandboxOptions } from './sandbox.ts';

/** A command, as far as what it writes goes. */
interface Writer {
  readonly exited: Promise<unknown>;
  /** Bytes that its processes wrote to disks so far; undefined where the kernel does not tell. */
  written(): number | undefined;
  /** Ends it with the sentence that tells why. */
  endFor(limit: string): void;
}

/**
 * Keeps what the commands of a session leave on disk below a limit, and the last part of the disk free. How much is
 * free costs nothing to ask; what is used is counted only after that much may have been written, or after a minute.
 */
export class DiskWatch {
  readonly #writers = new Map<Writer, { readonly free: number }>();
  #timer: NodeJS.Timeout | undefined;
  /** When to count again: at so many free bytes, or at this time. */
  #next = { free: Number.POSITIVE_INFINITY, at: 0, whenFull: 0 };
  #used: number | undefined;
  #isCounting = false;
  /** Folders of the broker's that commands write to. */
  readonly #places: readonly string[];
  /** Folders of the user's that they may write to: what is in them is not counted. */
  readonly #others: readonly string[];
  /** Bytes. */
  readonly #limit: number;

  constructor(
    facts: Pick<SandboxFacts, 'folders' | 'limits'> & {
      readonly state: Pick<SandboxFacts['state'], 'home' | 'temporary'>;
    },
    options: Pick<SandboxOptions, 'copyOnWrite'>,
  ) {
    const changes = options.copyOnWrite?.changes;
    this.#places = [facts.state.temporary, facts.state.home, ...(changes?.values() ?? [])];
    this.#others = facts.folders.map(each => each.realPath).filter(each => changes?.has(each) !== true);
    this.#limit = facts.limits.diskSpace;
  }

  /** Watches until the command is over. */
  watch(writer: Writer): void {
    this.#writers.set(writer, this.#disks());
    this.#timer ??= setInterval(
      () => void this.#look().catch((error: unknown) => this.#endAll(error)),
      250,
    ).unref();
    void writer.exited.then(() => {
      this.#writers.delete(writer);
      if (this.#writers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }

  async #look(): Promise<void> {
    const { free, isFull } = this.#disks();
    const isDue = free < this.#next.free || Date.now() > (isFull ? this.#next.whenFull : this.#next.at);
    if (this.#isCounting || !isDue) return;
    this.#isCounting = true;
    const used = await bytesOnDisk(this.#places);
    const hasGrown = used === undefined || this.#used === undefined || used - this.#used > leastGrowth;
    // Where it cannot be counted, all that is missing on the disk counts.
    const left = this.#limit - Math.max(used ?? this.#missing(free), this.#unseen(free));
    // Without what is missing since they started it was too much already: others than these made it so.
    const wasFull = used !== undefined && used - this.#missing(free) > this.#limit;
    if (left < 0) this.#end(limitMessages.diskSpace(this.#limit), !wasFull);
    else if (isFull) this.#end(limitMessages.diskFull(), hasGrown || this.#others.length > 0);
    this.#used = used;
    // Not again before half of what is left could have been written.
    this.#next = {
      free: free - Math.max(left / 2, leastCounted),
      at: Date.now() + longestBlind,
      whenFull: Date.now() + 1_000,
    };
    this.#isCounting = false;
  }

  /** What cannot be watched does not write. */
  #endAll(error: unknown): void {
    this.#isCounting = false;
    const why = error instanceof Error ? error.message : String(error);
    for (const writer of this.#writers.keys())
      writer.endFor(`It was ended because the space on the disk could not be looked at: ${why}`);
  }

  /**
   * Ends what has been writing: not a server that does nothing, nor a command in a view that was full before. Not all
   * that is written is told of its writer; `isCertain` when one of them it must have been.
   */
  #end(message: string, isCertain: boolean): void {
    const { free } = this.#disks();
    const possible = [...this.#writers].filter(([, before]) => before.free - free > leastGrowth);
    const written = possible.map(([writer]) => ({
      writer,
      bytes: writer.written() ?? Number.POSITIVE_INFINITY,
    }));
    const most = Math.max(...written.map(({ bytes }) => bytes));
    const guilty = written.filter(({ bytes }) => bytes > leastGrowth && bytes >= most / 8);
    for (const { writer } of guilty.length > 0 || !isCertain ? guilty : written) writer.endFor(message);
  }

  /** A file without a name is in no folder. What one command wrote, and is missing on the disk since, counts for it. */
  #unseen(free: number): number {
    const each = [...this.#writers].map(([writer, before]) =>
      Math.min(writer.written() ?? 0, before.free - free),
    );
    return Math.max(0, ...each);
  }

  #missing(free: number): number {
    return Math.max(0, ...[...this.#writers.values()].map(before => before.free - free));
  }

  /** Of all disks that are written to: free bytes, and whether one of them is as full as it may get. */
  #disks(): { readonly free: number; readonly isFull: boolean } {
    const disks = new Map<number, StatsFs>();
    for (const place of [...this.#places, ...this.#others]) {
      const device = statOf(place)?.dev;
      if (device !== undefined && !disks.has(device)) disks.set(device, statfsSync(place));
    }
    const each = [...disks.values()];
    return {
      free: each.reduce((sum, { bavail, bsize }) => sum + bavail * bsize, 0),
      isFull: each.some(({ bavail, blocks }) => bavail < blocks * keptFree),
    };
  }
}

/** Part of the disk that commands never fill: programs of the user's need room to save. */
const keptFree = 0.05;

const leastGrowth = 2 ** 20;
const leastCounted = 2 ** 24;
/** Milliseconds. Others may free what a command fills. */
const longestBlind = 60_000;
