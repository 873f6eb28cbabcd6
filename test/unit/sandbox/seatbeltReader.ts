// Reads the form of Seatbelt profiles: lists, words, texts, comments.

export type Form = string | { readonly text: string } | readonly Form[];

/** Parses a whole profile. Throws where parentheses or quotation marks do not match. */
export function parseProfile(source: string): Form[] {
  const tokens = [...source.matchAll(/;[^\n]*|#?"((?:[^"\\]|\\.)*)"|[()]|[^\s()";]+|\S/g)].filter(
    ([token]) => !token.startsWith(';'),
  );
  const stack: Form[][] = [[]];
  for (const [token, quoted] of tokens) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const list = stack.pop();
      const outer = stack.at(-1);
      if (list === undefined || outer === undefined) throw new Error('a parenthesis too many');
      outer.push(list);
    } else if (quoted !== undefined) stack.at(-1)?.push({ text: quoted });
    else if (/^["#]/.test(token)) throw new Error(`an open quotation mark: ${token}`);
    else stack.at(-1)?.push(token);
  }
  const [top, ...open] = stack;
  if (top === undefined || open.length > 0) throw new Error('an open parenthesis');
  return top;
}

/** Every list in the forms that begins with this word. */
export function listsOf(forms: readonly Form[], word: string): (readonly Form[])[] {
  return forms.flatMap(form => {
    if (typeof form === 'string' || 'text' in form) return [];
    return [...(form[0] === word ? [form] : []), ...listsOf(form, word)];
  });
}
