/** Words that open files, run programs, or reveal the environment; anywhere in a program, also in a string. */
const powers =
  /system|getline|ENVIRON|PROCINFO|ARGV|ARGC|ARGIND|inplace|load|include|namespace|SYMTAB|FUNCTAB|extension/;

/** Words after which a slash begins a regular expression and not a division. */
const beforeExpression = new Set([
  'print',
  'printf',
  'return',
  'in',
  'if',
  'while',
  'else',
  'do',
  'case',
  'exit',
  'delete',
  'for',
  'switch',
]);

/**
 * True when an awk program plainly does nothing but compute and print to its output: no pipe, no redirection, none of
 * the powers above. A reader of tokens, not of the grammar: where a slash could be either, or a quote is open, it says
 * no.
 */
export function awkOnlyPrints(program: string): boolean {
  if (program.length > 4_000 || powers.test(program)) return false;
  const token =
    /\s+|"(?:[^"\\\n]|\\[^])*"|[A-Za-z_]\w*|\d[\w.]*|\.\d+|\|\||&&|>=|>>|[-+]{2}|[-+*/%^!=<>]=|\|&|./gsy;
  // What a closing bracket goes back to, and whether we are in the arguments of an unparenthesised print.
  let printing = false;
  let depth = 0;
  let previous = '';
  for (let at = 0; at < program.length;) {
    token.lastIndex = at;
    const text = token.exec(program)?.[0];
    if (text === undefined) return false;
    if (text === '"' || text === "'" || text === '\\' || text === '@') return false;
    if (text === '#') {
      const end = program.indexOf('\n', at);
      at = end < 0 ? program.length : end;
      continue;
    }
    if ((text === '/' || text === '/=') && startsExpression(previous)) {
      const regex = /\/(?:[^/\\\n[]|\\.|\[(?:\^?\]?)(?:[^\]\\\n/]|\\.)*\])*\//sy;
      regex.lastIndex = at;
      const whole = regex.exec(program)?.[0];
      if (whole === undefined) return false;
      at += whole.length;
      previous = 'regex';
      continue;
    }
    // Here a slash may be either.
    if (
      text.startsWith('/') &&
      /^(?:[-+]{2}|\)|\$|regex|length)$/.test(previous) &&
      program.includes('/', at + 1)
    )
      return false;
    if (text === '|' || text === '|&' || text === '>>') return false;
    if (text === 'print' || text === 'printf') {
      printing = true;
      depth = 0;
    } else if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (
      depth <= 0 &&
      (text === ';' ||
        text === '}' ||
        text === '{' ||
        (text.includes('\n') && !/^(?:,|&&|\|\|)$/.test(previous)))
    )
      printing = false;
    else if (text === '>' && printing && depth <= 0) return false;
    if (!/^\s+$/.test(text)) previous = text;
    else if (text.includes('\n') && previous !== ',' && previous !== '&&' && previous !== '||')
      previous = ';';
    at += text.length;
  }
  return true;
}

function startsExpression(previous: string): boolean {
  if (previous === '') return true;
  if (/^[A-Za-z_]/.test(previous)) return beforeExpression.has(previous);
  return !/^[\w.")\]$]|^[-+]{2}$/.test(previous);
}
