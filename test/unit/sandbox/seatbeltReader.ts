// Reads Seatbelt profiles well enough to check their form, and to ask what one would answer: of the rules that name an
// operation, the last whose filter matches counts. Knows only what our profiles use; anything else is an error.

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

export interface Question {
  readonly operation: string;
  readonly path?: string;
}

/** Whether the profile allows it. */
export function isAllowed(
  forms: readonly Form[],
  parameters: Readonly<Record<string, string>>,
  { operation, path }: Question,
): boolean {
  let answer = false;
  for (const form of forms) {
    if (typeof form === 'string' || 'text' in form) throw new Error('a rule is a list');
    const [action, ...rest] = form;
    if (action !== 'allow' && action !== 'deny') continue;
    const operations = rest.filter(each => typeof each === 'string');
    const filters = rest.filter(each => typeof each !== 'string');
    const concerns = operations.some(
      each => each === operation || (each.endsWith('*') && operation.startsWith(each.slice(0, -1))),
    );
    if (operations.includes('default')) answer = action === 'allow';
    else if (concerns && (filters.length === 0 || filters.some(each => matches(each, parameters, path))))
      answer = action === 'allow';
  }
  return answer;
}

function matches(
  filter: Form,
  parameters: Readonly<Record<string, string>>,
  path: string | undefined,
): boolean {
  if (typeof filter === 'string' || 'text' in filter) throw new Error('a filter is a list');
  const [name, ...words] = filter;
  const value = () => textOf(words[0], parameters);
  switch (name) {
    case 'literal':
      return path === value();
    case 'subpath':
      return path !== undefined && (path === value() || path.startsWith(`${value()}/`));
    case 'path-ancestors':
      return path !== undefined && (path === '/' || value().startsWith(`${path}/`));
    case 'regex':
      return path !== undefined && new RegExp(value(), 's').test(path);
    case 'require-all':
      return words.every(each => matches(each, parameters, path));
    case 'remote':
      return words[0] === 'unix-socket' && words.slice(1).some(each => matches(each, parameters, path));
    case 'target':
    case 'extension':
    case 'sysctl-name':
    case 'sysctl-name-prefix':
    case 'global-name':
    case 'socket-domain':
      return false;
    default:
      throw new Error(`an unknown filter: ${JSON.stringify(name)}`);
  }
}

function textOf(form: Form | undefined, parameters: Readonly<Record<string, string>>): string {
  if (form === undefined || typeof form === 'string') throw new Error('a text is missing');
  if ('text' in form) return form.text;
  const [name, ...words] = form;
  const texts = () => words.map(each => textOf(each, parameters));
  switch (name) {
    case 'param': {
      const value = parameters[texts().join('')];
      if (value === undefined) throw new Error(`no parameter ${texts().join('')}`);
      return value;
    }
    case 'string-append':
      return texts().join('');
    case 'regex-quote':
      return texts()
        .join('')
        .replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    default:
      throw new Error(`an unknown function: ${JSON.stringify(name)}`);
  }
}

/** Every list in the forms that begins with this word. */
export function listsOf(forms: readonly Form[], word: string): (readonly Form[])[] {
  return forms.flatMap(form => {
    if (typeof form === 'string' || 'text' in form) return [];
    return [...(form[0] === word ? [form] : []), ...listsOf(form, word)];
  });
}
