/**
 * What the model has seen of each file in this session: the SHA-256 (hexadecimal) of all its bytes when it was last
 * read or written. A file may be changed only if it has been seen, and only if it still is what was seen.
 */
export class ReadLedger {
  readonly #seen = new Map<string, string>();

  /** Keyed by real path. */
  record(real: string, sha256: string): void {
    this.#seen.set(real, sha256);
  }

  seen(real: string): string | undefined {
    return this.#seen.get(real);
  }

  forget(real: string): void {
    this.#seen.delete(real);
  }
}
