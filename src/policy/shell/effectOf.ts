import type { Boundary } from '../paths/boundary.ts';
import { resolvePath } from '../paths/resolve.ts';
import { unknownText } from './expandWord.ts';
import type { Feed } from './feed.ts';
import { guessWords, literal, mergePieces } from './field.ts';
import type { Field, Piece } from './field.ts';
import type { Outcome, ShellState, SimpleCommand } from './line.ts';

/** What a command leaves behind in the shell that runs it. */
export function effectOf(command: SimpleCommand, state: ShellState, boundary: Boundary): Outcome {
  const [name, ...args] = command.words;
  switch (name && literal(name)) {
    case 'cd': {
      const to = changeFolder(args, state, boundary);
      return { ok: to, failed: state };
    }
    case 'exit':
    case 'exec':
      return { ok: undefined, failed: undefined };
    case 'true':
    case ':':
      return { ok: state, failed: undefined };
    case 'false':
      return { ok: undefined, failed: state };
    case 'read': {
      const variables = new Map(state.variables);
      for (const argument of args) {
        const variable = literal(argument) ?? '';
        if (/^\w+$/.test(variable)) variables.set(variable, readValue(command.input));
      }
      const after = { ...state, variables };
      return { ok: after, failed: after };
    }
    case 'export':
    case 'declare':
    case 'typeset':
    case 'readonly':
    case 'local': {
      const after = { ...state, variables: declared(args, state) };
      return { ok: after, failed: after };
    }
    case 'unset':
    case 'mapfile':
    case 'readarray':
    case 'getopts':
    case 'printf':
    case 'let':
    case 'eval':
    case '.':
    case 'source':
    case 'set':
    case 'shift':
    case 'pushd':
    case 'popd':
    case 'command':
    case 'builtin':
    case 'shopt':
    case 'trap':
    case 'alias':
    case 'enable': {
      if (
        name &&
        literal(name) === 'printf' &&
        !args.some(argument => literal(argument)?.startsWith('-v') ?? true)
      )
        return { ok: state, failed: state };
      if (
        name &&
        literal(name) === 'set' &&
        /^[-+]/.test((args[0] && literal(args[0])) ?? '') &&
        args.every(argument => /^[-+]?[a-zA-Z]+$/.test(literal(argument) ?? ' '))
      )
        return { ok: state, failed: state };
      if (name && literal(name) === 'command' && /^-[vV]$/.test((args[0] && literal(args[0])) ?? ''))
        return { ok: state, failed: state };
      // Anything may be different now: what the line set before is forgotten, and even these two may be something else.
      const open: readonly Piece[] = [{ kind: 'open', splits: false }];
      const after: ShellState = {
        variables: new Map([
          ['HOME', open],
          ['PWD', open],
          ...(name && literal(name) === 'set' ? positional(args) : []),
        ]),
        folders: undefined,
        throughLink: true,
      };
      return { ok: after, failed: after };
    }
    default:
      return { ok: state, failed: state };
  }
}

/** What `$1`, `$@` and so on most likely are after `set -- a b`; for recognising what must be denied. */
function positional(args: readonly Field[]): [string, readonly Piece[]][] {
  const words = guessWords(args);
  const dashes = words.indexOf('--');
  const values = dashes >= 0 ? words.slice(dashes + 1) : words.filter(word => !/^[-+]/.test(word));
  const guessed = (guess: string, splits: boolean): readonly Piece[] => [{ kind: 'open', splits, guess }];
  return [
    ...values
      .slice(0, 9)
      .map((value, at): [string, readonly Piece[]] => [String(at + 1), guessed(value, false)]),
    ['@', guessed(values.join(' '), true)],
    ['*', guessed(values.join(' '), true)],
  ];
}

/** The variables after `export a=b c`: those with a value have it, the others may have any. */
function declared(args: readonly Field[], state: ShellState): ReadonlyMap<string, readonly Piece[]> {
  const variables = new Map(state.variables);
  for (const argument of args) {
    const [first, ...rest] = argument.pieces;
    const set = first?.kind === 'text' ? /^([A-Za-z_]\w*)\+?=([^]*)$/.exec(first.text) : null;
    if (set?.[1] !== undefined)
      variables.set(
        set[1],
        set[0].startsWith(`${set[1]}+`)
          ? [{ kind: 'open', splits: false }]
          : mergePieces([{ kind: 'text', text: set[2] ?? '' }, ...rest]),
      );
    else if (!variables.has(literal(argument) ?? ''))
      variables.set(literal(argument) ?? '', [{ kind: 'open', splits: false }]);
  }
  return variables;
}

function readValue(input: Feed): readonly Piece[] {
  if (input.kind === 'listing') return [{ kind: 'listed', listing: { ...input.listing, separated: false } }];
  return [{ kind: 'open', splits: false, guess: input.kind === 'text' ? input.text.trim() : unknownText }];
}

function changeFolder(args: readonly Field[], state: ShellState, boundary: Boundary): ShellState {
  const unknown: ShellState = { ...state, folders: undefined };
  const operands = args.filter(argument => !/^-[LPe@]+$|^--$/.test(literal(argument) ?? ''));
  const target = operands[0] === undefined ? boundary.home : literal(operands[0]);
  if (operands.length > 1 || target === undefined || target === '-' || target === '') return unknown;
  if (state.folders === undefined && !target.startsWith('/')) return unknown;
  // `cd ..` goes back the way it came, the kernel's `..` does not; after a link the two differ.
  if (state.throughLink && target.split('/').includes('..')) return unknown;
  const from = target.startsWith('/') ? ['/'] : (state.folders ?? []);
  const folders: string[] = [];
  let throughLink = state.throughLink;
  for (const folder of from) {
    const to = resolvePath(folder, target);
    if (to === undefined) return unknown;
    const written = resolveWritten(folder, target);
    if (
      written !== to &&
      !boundary.folders.some(
        ({ given, real }) => written.startsWith(given) && to === real + written.slice(given.length),
      )
    )
      throughLink = true;
    folders.push(to);
  }
  return { ...state, folders, throughLink };
}

function resolveWritten(folder: string, path: string): string {
  const parts = path.startsWith('/') ? [] : folder.split('/').filter(part => part !== '');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
