/** What an apply overwrites, deletes, makes, or gives other permissions at one path. */
export interface Discarded {
  /** Absolute workspace folder, and the path in it with `/`. */
  readonly folder: string;
  readonly path: string;
  /** `made`: nothing was there; `mode`: only the permissions changed, and these are the old ones. */
  readonly why: 'overwritten' | 'deleted' | 'made' | 'mode';
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly mode: number;
  /** Bytes; 0 for what is not a file. */
  readonly size: number;
  /** SHA-256 of a file's content in hexadecimal digits; the target of a link. */
  readonly content: string;
}

/** Where it is kept. A batch is noted before it is thrown away, and counts once it was. */
export interface Trash {
  /** Copies a file's content and syncs it; the place is read without following a link. Throws what the file system says. */
  store(place: string): { content: string; size: number };
  note(batch: string, items: readonly Discarded[]): void;
  /** It was thrown away. */
  keep(batch: string): void;
  /** It was not. */
  forget(batch: string): void;
}
