import { parse } from 'unbash';
import type { ParsedScript } from 'unbash';
import { asking } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import type { Boundary } from '../paths/boundary.ts';
import { noFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import type { Line, ShellState } from './line.ts';
import { maxLine, prefilter } from './prefilter.ts';
import { Walk } from './walk.ts';

/** Where and how a line would begin. */
export interface LineStart {
  readonly boundary: Boundary;
  /** Absolute, free of links; undefined when it is not known. */
  readonly folders: readonly string[] | undefined;
  readonly input?: Feed;
  /** For a text inside another line (`sh -c '…'`): where it stands there; every finding points to that. */
  readonly within?: Span;
  /** What a piped command prints, where that matters to the next one. */
  readonly outputOf: (command: Line['commands'][number]) => Feed;
}

/**
 * Reads a line as bash would. Everything it would run is in `commands`, or there is a finding that has to be asked;
 * it never throws. Spans are in the given text, or all `within`.
 */
export function readLine(text: string, start: LineStart): Line & { readonly tree: ParsedScript | undefined } {
  const whole: Span = start.within ?? [0, text.length];
  const findings: Finding[] = prefilter(text.slice(0, maxLine)).map(finding => ({
    ...finding,
    span: start.within ?? finding.span,
  }));
  const entangled = openings(text) > maxOpenings;
  const tooLong = text.length > maxLine || hasTooManyWords(text);
  if (entangled || tooLong) {
    findings.push(
      asking(
        'parse.tooLong',
        'The line is too long or too entangled; it was not looked at as a whole.',
        whole,
        { risk: 60, cure: 'person', stays: false },
      ),
    );
  }
  // Of what is too long only the beginning is read, so that what must be denied there still is.
  const judged = entangled ? text.slice(0, 120) : tooLong ? text.slice(0, 400) : text;
  try {
    const tree = parse(judged);
    const walk = new Walk(judged, start, findings);
    const state: ShellState = { variables: new Map(), folders: start.folders, throughLink: false };
    walk.script(tree, state, start.input ?? noFeed);
    return { commands: walk.commands, findings, tree };
  } catch {
    findings.push(
      asking('parse.failed', 'The line is too deeply nested or cannot be read.', whole, {
        risk: 60,
        cure: 'person',
        stays: false,
      }),
    );
    return { commands: [], findings, tree: undefined };
  }
}

/** More words than this in one line take too long to judge one by one, each against the disk. */
const maxWords = 800;

function hasTooManyWords(text: string): boolean {
  if (text.length < 2 * maxWords) return false;
  let words = 0;
  for (const _ of text.matchAll(/[\s;|&(){}]+/g)) if (++words > maxWords) return true;
  return false;
}

/** More substitutions and expansions than this in one line take too long to follow. */
const maxOpenings = 300;

function openings(text: string): number {
  let count = 0;
  for (let at = text.indexOf('$'); at >= 0 && count <= maxOpenings; at = text.indexOf('$', at + 1))
    count += 1;
  for (let at = text.indexOf('`'); at >= 0 && count <= maxOpenings; at = text.indexOf('`', at + 1))
    count += 1;
  return count;
}
