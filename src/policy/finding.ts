/** A stretch of the judged text: [from, to) in UTF-16 code units. */
export type Span = readonly [from: number, to: number];

/**
 * One thing that was seen in a line and that keeps it from being allowed as it is.
 *
 * `cure` says what could still allow it: a `rule` (any rule that matches the command), a rule that names this very
 * `word` literally (a wildcard never grants a known danger), or nothing but the person who is asked (`person`).
 * `stays` marks what cannot leave the sandbox: in "contained" mode it is not asked.
 */
export interface Finding {
  readonly verdict: 'ask' | 'deny';
  /** Stable and dotted. */
  readonly code: string;
  /** A whole sentence for a person. */
  readonly message: string;
  readonly span: Span;
  /** 0 (harmless) to 100 (destroys, leaks or escalates). */
  readonly risk: number;
  readonly cure: 'rule' | 'word' | 'person';
  readonly stays: boolean;
  /** Index of the word concerned among the words of its command (the name is 0). */
  readonly word?: number;
}

/** Something to ask about; curable by a rule and staying in the sandbox unless said otherwise. */
export function asking(
  code: string,
  message: string,
  span: Span,
  more: Partial<Pick<Finding, 'risk' | 'cure' | 'stays' | 'word'>> = {},
): Finding {
  return { verdict: 'ask', code, message, span, risk: 30, cure: 'rule', stays: true, ...more };
}

/** Something that is denied whatever the rules say. */
export function denying(code: string, message: string, span: Span): Finding {
  return { verdict: 'deny', code, message, span, risk: 100, cure: 'person', stays: false };
}
