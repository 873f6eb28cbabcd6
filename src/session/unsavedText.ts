/** Text that the user has typed and not saved. Paths are absolute, as the editor knows them. */
export interface UnsavedText {
  /** What the editor shows for this file, when that is not what is on disk. */
  textOf(path: string): string | undefined;
  /** Every file with such text. */
  paths(): readonly string[];
  /** Calls the listener when a file begins or ends to be such a file. */
  onChange(listener: () => void): Disposable;
}
