/** Keeps the end of a text that grows without bound, cut at a character. */
export class BoundedText {
  #text = '';
  #isTruncated = false;

  /** `limit` in bytes of UTF-8. */
  constructor(private readonly limit: number) {}

  append(text: string): void {
    this.#text += text;
    // A UTF-16 unit is at least one byte: below this nothing needs cutting, and cutting seldom keeps it cheap.
    if (this.#text.length > 2 * this.limit) this.#cut();
  }

  read(): { readonly text: string; readonly isTruncated: boolean } {
    this.#cut();
    return { text: this.#text, isTruncated: this.#isTruncated };
  }

  #cut(): void {
    if (this.#text.length * 3 <= this.limit) return;
    const bytes = Buffer.from(this.#text);
    if (bytes.length <= this.limit) return;
    let start = bytes.length - this.limit;
    // Bytes 10xxxxxx continue a character that began before.
    while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
    this.#text = bytes.toString('utf8', start);
    this.#isTruncated = true;
  }
}
