/**
 * True when a sed script is wholly understood and does nothing but print: no `w`, `W`, `r`, `R`, `e`, `F`, no `s///w`
 * or `s///e`. Whatever this small reader does not know makes it false.
 */
export function sedOnlyPrints(script: string): boolean {
  // Nothing in a printing script needs these; leaving them out keeps the reader below small.
  if (script.length > 1_000 || script.includes('\0') || script.includes('\r')) return false;
  let rest = script;
  let depth = 0;
  while (true) {
    rest = rest.replace(/^[\s;]+/, '');
    if (rest === '') return depth === 0;
    if (rest.startsWith('#')) {
      // A first line `#n` only turns printing off.
      rest = rest.replace(/^[^\n]*/, '');
      continue;
    }
    if (rest.startsWith('}')) {
      if (--depth < 0) return false;
      rest = rest.slice(1);
      continue;
    }
    const afterAddress = skipAddresses(rest);
    if (afterAddress === undefined) return false;
    rest = afterAddress.replace(/^[ \t]*!?[ \t]*/, '');
    const command = rest[0] ?? '';
    rest = rest.slice(1);
    if (command === '{') {
      depth += 1;
      continue;
    }
    let after: string | undefined;
    if (command === 's') after = skipSubstitution(rest);
    else if (command === 'y') after = skipTranslation(rest);
    else if (/^[pdDgGhHnNPxz=]$/.test(command)) after = rest;
    else if (/^[lqQ]$/.test(command)) after = rest.replace(/^[ \t]*\d*/, '');
    else if (/^[bt:]$/.test(command)) after = skipLabel(rest);
    else return false;
    if (after === undefined) return false;
    rest = after.replace(/^[ \t]+/, '');
    if (rest !== '' && !/^[;\n}#]/.test(rest)) return false;
  }
}

function skipAddresses(text: string): string | undefined {
  const first = skipAddress(text);
  if (first === undefined || first === text) return first;
  const comma = first.replace(/^[ \t]+/, '');
  if (!comma.startsWith(',')) return first;
  const second = comma.slice(1).replace(/^[ \t]+/, '');
  const relative = /^[+~]\d+/.exec(second);
  if (relative) return second.slice(relative[0].length);
  const after = skipAddress(second);
  return after === second ? undefined : after;
}

function skipAddress(text: string): string | undefined {
  const plain = /^(?:\d+(?:~\d+)?|\$)/.exec(text);
  if (plain) return text.slice(plain[0].length);
  if (text.startsWith('/')) return skipDelimited(text.slice(1), '/')?.replace(/^[IM]+/, '');
  // `\cREGEXc` takes any delimiter; it is rare, and left out.
  return text.startsWith('\\') ? undefined : text;
}

/** Skips to after the next delimiter that is neither escaped nor inside brackets (where sed does not end either). */
function skipDelimited(text: string, delimiter: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\n') return undefined;
    if (character === '\\') at += 1;
    else if (character === delimiter) return text.slice(at + 1);
    // Implementations differ on a delimiter inside brackets; where it matters nothing is assumed.
    else if (character === '[' && bracketHolds(text.slice(at), delimiter)) return undefined;
  }
  return undefined;
}

function bracketHolds(text: string, delimiter: string): boolean {
  const close = text.indexOf(']', text.startsWith('[^]') ? 3 : text.startsWith('[]') ? 2 : 1);
  return close > 0 && text.slice(0, close).includes(delimiter);
}

function skipSubstitution(text: string): string | undefined {
  const delimiter = text[0] ?? '';
  if (!/^[/|,#@!:%+_~]$/.test(delimiter)) return undefined;
  const replacement = skipDelimited(text.slice(1), delimiter);
  const after = replacement === undefined ? undefined : skipReplacement(replacement, delimiter);
  return after === undefined
    ? undefined
    : /^[gpiIm0-9]*(?![a-zA-Z0-9])/.test(after)
      ? after.replace(/^[gpiIm0-9]*/, '')
      : undefined;
}

function skipReplacement(text: string, delimiter: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '\n') return undefined;
    else if (text[at] === delimiter) return text.slice(at + 1);
  }
  return undefined;
}

function skipTranslation(text: string): string | undefined {
  const delimiter = text[0] ?? '';
  if (!/^[/|,#@!:%+_~]$/.test(delimiter)) return undefined;
  const second = skipReplacement(text.slice(1), delimiter);
  return second === undefined ? undefined : skipReplacement(second, delimiter);
}

function skipLabel(text: string): string | undefined {
  const label = /^[ \t]*[a-zA-Z0-9_]*/.exec(text);
  return label ? text.slice(label[0].length) : undefined;
}
