/** What the model reads of one tool's output, in UTF-16 units. */
const maxToolText = 30_000;

/**
 * Text of at most `max` UTF-16 units, plus a note where the middle was: beginnings say what it is, ends say how it
 * came out. Never splits a character.
 */
export function cutMiddle(text: string, max = maxToolText): string {
  if (text.length <= max) return text;
  const head = wholeUpTo(text, Math.ceil(max * 0.6));
  const tail = wholeFrom(text, text.length - (max - Math.ceil(max * 0.6)));
  const left = (tail - head).toLocaleString('en-US');
  return `${text.slice(0, head)}\n[… ${left} characters left out here …]\n${text.slice(tail)}`;
}

function wholeUpTo(text: string, end: number): number {
  return isLowSurrogate(text, end) ? end - 1 : end;
}

function wholeFrom(text: string, start: number): number {
  return isLowSurrogate(text, start) ? start + 1 : start;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc_00 && unit <= 0xdf_ff;
}
