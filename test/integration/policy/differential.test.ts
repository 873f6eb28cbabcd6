import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { boundaryOf } from '../../../src/policy/paths/boundary.ts';
import { literal } from '../../../src/policy/shell/field.ts';
import { unknownFeed } from '../../../src/policy/shell/feed.ts';
import type { Line, SimpleCommand } from '../../../src/policy/shell/line.ts';
import { readLine } from '../../../src/policy/shell/readLine.ts';
import { BashOracle } from './bashOracle.ts';

// Whatever a real bash runs, the policy has seen, with the same words; or it has found a reason to ask.
// CORDON_FUZZ_RUNS and CORDON_FUZZ_SEED make it longer or other by hand.

const numRuns = Number(process.env['CORDON_FUZZ_RUNS'] ?? 400);
const seed = Number(process.env['CORDON_FUZZ_SEED'] ?? 20_261_121);
const timeout = 120_000 + numRuns * 200;

const oracle = new BashOracle();
afterAll(() => oracle[Symbol.dispose]());
const boundary = boundaryOf(['/nowhere/project'], '/nowhere');
const read = (script: string): Line =>
  readLine(script, { boundary, folders: ['/nowhere/project'], outputOf: () => unknownFeed });

/** Scripts that the policy took for wholly understood, so that bash had the last word. */
let compared = 0;

/** What bash ran and the policy did not see; empty when all is well. */
function missed(script: string, status: 0 | 1): string[][] {
  const line = read(script);
  if (line.findings.length > 0) return [];
  compared += 1;
  return (oracle.run(script, status) ?? []).filter(
    argv => !line.commands.some(command => couldBe(command, argv)),
  );
}

/** True when the command as read could come to exactly these words. */
function couldBe(command: SimpleCommand, argv: readonly string[]): boolean {
  const pattern = command.words.map(word => {
    const text = literal(word);
    if (text !== undefined) return { text };
    const splits = word.pieces.some(
      piece => (piece.kind === 'open' && piece.splits) || piece.kind === 'glob' || piece.kind === 'listed',
    );
    return { splits };
  });
  const match = (at: number, word: number): boolean => {
    const part = pattern[at];
    if (part === undefined) return word === argv.length;
    if ('text' in part) return argv[word] === part.text && match(at + 1, word + 1);
    if (!part.splits) return word < argv.length && match(at + 1, word + 1);
    for (let next = word; next <= argv.length; next++) if (match(at + 1, next)) return true;
    return false;
  };
  return match(0, 0);
}

const status = fc.constantFrom<0 | 1>(0, 1);

describe('against a real bash', () => {
  test('the oracle itself sees what runs, and a reader that forgets a command would be caught', () => {
    expect(oracle.run('A1 "b c" $(B2 x)', 0)).toEqual([
      ['B2', 'x'],
      ['A1', 'b c'],
    ]);
    expect(couldBe(read('A1 x').commands[0] as SimpleCommand, ['A1', 'y'])).toBe(false);
    expect(missed('A1 "b c" d', 0)).toEqual([]);
  });

  test(
    'scripts from a grammar',
    () => {
      fc.assert(
        fc.property(script, status, (text, code) => {
          expect(missed(text, code)).toEqual([]);
        }),
        { numRuns, seed },
      );
    },
    timeout,
  );

  test(
    'strings of shell tokens in any order',
    () => {
      const token = fc.constantFrom(
        'A1',
        'B2',
        'x',
        ' ',
        ' ',
        ' ',
        '\n',
        ';',
        '&&',
        '||',
        '|',
        '(',
        ')',
        '{ ',
        '; }',
        '$(',
        '`',
        '"',
        "'",
        '\\',
        '$',
        '${',
        '}',
        '<',
        '>',
        '<<',
        '<<<',
        'EOF',
        '#',
        '!',
        '*',
        '?',
        '[',
        ']',
        '~',
        '=',
        'v=',
        '$v',
        "$'",
        '\\n',
        'if ',
        'then ',
        'fi',
        'for i in ',
        'do ',
        'done',
        'case x in ',
        ';;',
        'esac',
        'while ',
        '\\\n',
        'time ',
        '[[ ',
        ' ]]',
        '-f',
        'x)',
        '2>&1',
        '{a,b}',
        '&',
        'function ',
        '()',
        '$@',
        '$1',
        '${v}',
        '-',
        '.',
      );
      fc.assert(
        fc.property(fc.array(token, { minLength: 1, maxLength: 12 }), status, (tokens, code) => {
          expect(missed(tokens.join(''), code)).toEqual([]);
        }),
        { numRuns: numRuns * 2, seed },
      );
    },
    timeout,
  );

  test('a good part of the scripts was really compared', () => {
    expect(compared).toBeGreaterThan(numRuns / 2);
  });
});

const plain = fc.constantFrom('a', 'b c', 'd', '-x', 'e/f', 'é', '1', '%s', 'a=b', '+', '{', '}', '!');
const word: fc.Arbitrary<string> = fc.letrec<{ word: string; inner: string }>(tie => ({
  word: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'x',
      '-y',
      'z.ts',
      'a/b',
      'w',
      "''",
      '""',
      'a\\ b',
      '\\$x',
      "a'b'c",
      'a"b"c',
      "$'a\\tb'",
      "$'\\x41'",
      '{a,b}',
      'p{1,2}q',
      '*.none',
      '~',
      '~/x',
      '=',
      '%',
      '@',
      'a,b',
      '\\"',
      'a#b',
    ),
    plain.map(text => `'${text}'`),
    plain.map(text => `"${text.replaceAll('!', '')}"`),
    tie('inner').map(text => `$(${text})`),
    tie('inner').map(text => `"$(${text})"`),
    tie('inner').map(text => `\`${text.replaceAll(/[`\\]/g, '')}\``),
    fc.constantFrom('$v', '"$v"', '${v}', '"${v:-d}"', '${v#x}', '"${v%y}"', '$HOME', '"$HOME/x"', '$?'),
  ),
  inner: fc
    .tuple(fc.constantFrom('A1', 'B2', 'C3'), fc.array(tie('word'), { maxLength: 2 }))
    .map(parts => parts.flat().join(' ')),
})).word;

const script: fc.Arbitrary<string> = fc.letrec<{ list: string; command: string; simple: string }>(tie => ({
  simple: fc
    .tuple(
      fc.constantFrom('A1', 'B2', 'C3', "A'1'", '"B2"', 'C\\3'),
      fc.array(word, { maxLength: 3 }),
      fc.constantFrom('', '', '', ' 2>/dev/null', ' </dev/null', ' 2>&1', ' <<< x'),
    )
    .map(([name, words, redirect]) => `${name} ${words.join(' ')}${redirect}`),
  command: fc.oneof(
    { depthSize: 'small' },
    tie('simple'),
    tie('simple'),
    fc.tuple(tie('simple'), tie('simple')).map(([a, b]) => `${a} | ${b}`),
    fc.tuple(tie('command'), tie('command')).map(([a, b]) => `${a} && ${b}`),
    fc.tuple(tie('command'), tie('command')).map(([a, b]) => `${a} || ${b}`),
    tie('list').map(list => `( ${list} )`),
    tie('list').map(list => `{ ${list}; }`),
    fc.tuple(tie('list'), tie('list')).map(([a, b]) => `if ${a}; then ${b}; else A1 no; fi`),
    fc.tuple(word, tie('list')).map(([a, b]) => `for v in x ${a}; do ${b}; done`),
    fc.tuple(word, tie('list')).map(([a, b]) => `case ${a} in x) ${b};; *) C3;; esac`),
    tie('simple').map(simple => `! ${simple}`),
    fc.tuple(word, tie('simple')).map(([a, b]) => `v=${a}; ${b}`),
    word.map(a => `[[ -n ${a} ]] && A1 yes`),
    tie('simple').map(simple => `${simple} <<EOF\nx $(B2 in)\nEOF\n`),
    tie('simple').map(simple => `${simple} <<'EOF'\nx $(B2 in)\nEOF\n`),
    fc.tuple(tie('simple'), tie('simple')).map(([a, b]) => `${a} \\\n ${b}`),
    tie('simple').map(simple => `${simple} # B2 comment\nA1`),
  ),
  list: fc.array(tie('command'), { minLength: 1, maxLength: 2 }).map(commands => commands.join('\n')),
})).list;
