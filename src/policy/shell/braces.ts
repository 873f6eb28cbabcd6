/** More words than this from one brace expansion are not followed. */
const maxWords = 64;

/**
 * The words that bash makes of one brace expression such as `{a,b}` or `{1..3}`; `digits` for a long range of numbers;
 * undefined when it holds anything but plain characters, so that it has to count as unknown.
 */
export function expandBraces(text: string): readonly string[] | 'digits' | undefined {
  const range = /^\{\d{1,9}\.\.\d{1,9}(?:\.\.\d{1,9})?\}$/.test(text);
  if (range) return 'digits';
  if (!/^\{[\w./,@+:=%^{}-]*\}$/.test(text) || text.includes('..}') || /\{[^{},]*\.\.[^{},]*\}/.test(text))
    return undefined;
  const cursor = { at: 0, budget: maxWords };
  const words = alternatives(text, cursor);
  return cursor.at === text.length ? words : undefined;
}

function alternatives(text: string, cursor: { at: number; budget: number }): string[] | undefined {
  // At an opening brace: comma-separated parts up to its closing one.
  cursor.at += 1;
  const results: string[] = [];
  let current: string[] = [''];
  let commas = 0;
  while (cursor.at < text.length) {
    const character = text[cursor.at] ?? '';
    if (character === '{') {
      const inner = alternatives(text, cursor);
      if (inner === undefined) return undefined;
      current = current.flatMap(start => inner.map(end => start + end));
    } else if (character === ',') {
      commas += 1;
      results.push(...current);
      current = [''];
      cursor.at += 1;
    } else if (character === '}') {
      cursor.at += 1;
      results.push(...current);
      // `{a}` is no expansion; how bash then reads its surroundings is not followed.
      return commas === 0 || results.length > cursor.budget ? undefined : results;
    } else {
      current = current.map(start => start + character);
      cursor.at += 1;
    }
    if (current.length > cursor.budget) return undefined;
  }
  return undefined;
}
