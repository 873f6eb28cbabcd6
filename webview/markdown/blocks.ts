import MarkdownIt from 'markdown-it';

// Knows where blocks begin, nothing more: what is inside them is another parser's work.
const outline = new MarkdownIt({ html: false });
outline.core.ruler.disable(['inline', 'linkify', 'replacements', 'smartquotes', 'text_join'], true);

/**
 * Cuts a growing Markdown text into top-level blocks and reparses only the last one: everything before the last
 * block's start can no longer change. One splitter belongs to one message.
 */
export class BlockSplitter {
  #text = '';
  /** Blocks that are closed, and how much of the text they take. */
  #closed: string[] = [];
  #closedLength = 0;

  /** The blocks of `text`; the last one may still grow. Each holds its own trailing blank lines. */
  blocks(text: string): readonly string[] {
    if (!text.startsWith(this.#text)) {
      this.#closed = [];
      this.#closedLength = 0;
    }
    this.#text = text;
    const tail = text.slice(this.#closedLength);
    const parts = split(tail);
    const last = parts.at(-1) ?? '';
    if (parts.length > 1) {
      this.#closed = [...this.#closed, ...parts.slice(0, -1)];
      this.#closedLength += tail.length - last.length;
    }
    return last === '' ? this.#closed : [...this.#closed, last];
  }
}

function split(text: string): string[] {
  const starts = new Set<number>([0]);
  for (const token of outline.parse(text, {})) {
    if (token.level === 0 && token.map !== null && token.nesting >= 0) starts.add(token.map[0]);
  }
  // markdown-it counts a lone carriage return as a line's end too.
  const lines = text.split(/(?<=\n|\r(?!\n))/);
  const edges = [...starts].sort((a, b) => a - b);
  return edges
    .map((start, index) => lines.slice(start, edges[index + 1] ?? lines.length).join(''))
    .filter(part => part !== '');
}
