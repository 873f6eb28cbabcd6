import { asking } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';

/** The finding for a form of a known tool that is not on its list of reading forms. */
export function notOnlyReading(span: Span, name: string, word?: number): Finding {
  return asking(
    'tool.notOnlyReading',
    `This form of \`${name}\` may do more than read.`,
    span,
    word === undefined ? {} : { word },
  );
}
