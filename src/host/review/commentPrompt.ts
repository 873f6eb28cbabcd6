/** What the user said about some lines of the agent's text. Lines count from 1. */
export interface LineComment {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** The lines, as far as they are quoted. */
  readonly quote: readonly string[];
  readonly texts: readonly string[];
}

/** The prompt that brings comments to the agent, in the order of their places. */
export function commentPrompt(comments: readonly LineComment[]): string {
  const ordered = comments.toSorted((one, other) =>
    one.path === other.path ? one.from - other.from : one.path < other.path ? -1 : 1,
  );
  const parts = ordered.map(({ path, from, to, quote, texts }) =>
    [`${path}:${from === to ? from : `${from}-${to}`}`, ...quote.map(line => `> ${line}`), '', ...texts].join(
      '\n',
    ),
  );
  return ['I read your changes. Please see to these comments:', ...parts].join('\n\n');
}
