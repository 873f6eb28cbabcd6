/**
 * What a plain text tool makes of its input, for looking through disguises such as `echo … | base64 -d | sh`. Close
 * enough to recognise a command that must be denied; never a ground to allow. Undefined when the tool is not known.
 */
export function transformText(words: readonly string[], input: string): string | undefined {
  const [name = '', ...rest] = words;
  const options = rest.filter(word => word.startsWith('-'));
  const operands = rest.filter(word => !word.startsWith('-'));
  switch (name.slice(name.lastIndexOf('/') + 1)) {
    case 'echo':
      return `${unescapeIf(
        options.some(option => /^-[nE]*e/.test(option)),
        rest.filter(word => !/^-[neE]+$/.test(word)).join(' '),
      )}\n`;
    case 'printf':
      return printf(rest[0] === '--' ? rest.slice(1) : rest);
    // Where a program is stands for the program.
    case 'which':
    case 'command':
    case 'type':
      return operands.at(-1);
    case 'ls':
    case 'dir':
      return operands.length > 0 ? operands.join('\n') : '.';
    case 'cat':
    case 'tee':
      return operands.length === 0 ? input : undefined;
    case 'base64':
      return options.some(option => /^-(?:[a-z]*[dD]|-d)/.test(option))
        ? Buffer.from(input, 'base64').toString('utf8')
        : undefined;
    case 'xxd':
      return options.includes('-r') || options.some(option => /^-[a-z]*r/.test(option))
        ? Buffer.from(input.replaceAll(/\s/g, ''), 'hex').toString('utf8')
        : undefined;
    case 'rev':
      return input
        .split('\n')
        .map(line => Array.from(line).toReversed().join(''))
        .join('\n');
    case 'tac':
      return input.split('\n').toReversed().join('\n');
    case 'tr':
      return translate(options, operands, input);
    case 'sed':
      return substituteOnce(rest, input);
    case 'head':
    case 'tail':
    case 'sort':
      return input;
    default:
      return undefined;
  }
}

function unescapeIf(wanted: boolean, text: string): string {
  if (!wanted) return text;
  return text.replaceAll(
    /\\(?:x([\da-fA-F]{1,2})|0?([0-7]{1,3})|([abefnrtv\\]))/g,
    (_whole, hex: string | undefined, octal: string | undefined, letter: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return letter === 'n' ? '\n' : letter === 't' ? '\t' : letter === '\\' ? '\\' : '';
    },
  );
}

function printf(words: readonly string[]): string {
  const [format = '', ...values] = words;
  let next = 0;
  return unescapeIf(true, format).replaceAll(
    /%(?:%|[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z]))/g,
    (whole, kind: string | undefined) => {
      if (whole === '%%') return '%';
      const value = values[next++] ?? '';
      return kind === 'b' ? unescapeIf(true, value) : value;
    },
  );
}

function translate(
  options: readonly string[],
  operands: readonly string[],
  input: string,
): string | undefined {
  const [from = '', to = ''] = operands.map(expandSet);
  if (options.some(option => /^-[a-z]*d/.test(option)))
    return Array.from(input)
      .filter(character => !from.includes(character))
      .join('');
  if (options.length > 0 || to === '') return undefined;
  return Array.from(input)
    .map(character => {
      const at = from.lastIndexOf(character);
      return at < 0 ? character : (to[Math.min(at, to.length - 1)] ?? '');
    })
    .join('');
}

function expandSet(set: string): string {
  return unescapeIf(true, set).replaceAll(/([^-])-([^-])/g, (_whole, first: string, last: string) => {
    let all = '';
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0) && all.length < 256; code++)
      all += String.fromCharCode(code);
    return all;
  });
}

function substituteOnce(words: readonly string[], input: string): string | undefined {
  const script = words.find(word => word.length < 200 && /^s(.).*\1.*\1[gi]*$/s.test(word));
  const match = script === undefined ? null : /^s(.)(.*)\1(.*)\1([gi]*)$/s.exec(script);
  if (!match) return undefined;
  const [, , from = '', to = '', flags = ''] = match;
  // Taken as plain text: a regular expression from outside is never run here.
  return flags.includes('g') ? input.replaceAll(from, () => to) : input.replace(from, () => to);
}
