import type { Finding, Span } from '../finding.ts';
import type { Feed } from './feed.ts';
import type { Field, Piece } from './field.ts';

/** One program, builtin or function that a line would run, with the words it would get. */
export interface SimpleCommand {
  /** The name first; never empty. */
  readonly words: readonly Field[];
  readonly span: Span;
  /** Every folder it may run in, absolute and free of links; undefined when that is not known. */
  readonly folders: readonly string[] | undefined;
  /** What it may read from its standard input. */
  readonly input: Feed;
  /** What the line wrote into files before, by a guess of their names; for recognising what must be denied. */
  readonly written?: ReadonlyMap<string, string>;
  /** Variables set for this command alone. */
  readonly assignments: readonly { readonly name: string; readonly value: Field; readonly span: Span }[];
  /** Functions that the line defines, by name: they run in place of programs. */
  readonly isFunction: boolean;
}

/** What a line would do, as far as reading it tells. */
export interface Line {
  readonly commands: readonly SimpleCommand[];
  /** What the structure itself gives reason to ask about or to deny. */
  readonly findings: readonly Finding[];
}

/** What the shell knows at one point of a line. */
export interface ShellState {
  readonly variables: ReadonlyMap<string, readonly Piece[]>;
  readonly folders: readonly string[] | undefined;
  /** A link was followed on the way to the folder, so that `cd ..` would not lead where the kernel's `..` does. */
  readonly throughLink: boolean;
}

/** The state after success and after failure; undefined where it does not come to that. */
export interface Outcome {
  readonly ok: ShellState | undefined;
  readonly failed: ShellState | undefined;
}

/** Joins two ways to the same point: what differs is not known. */
export function join(a: ShellState | undefined, b: ShellState | undefined): ShellState | undefined {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  let variables = a.variables;
  if (a.variables !== b.variables) {
    const merged = new Map<string, readonly Piece[]>();
    for (const name of new Set([...a.variables.keys(), ...b.variables.keys()])) {
      const value = a.variables.get(name);
      merged.set(
        name,
        value !== undefined && value === b.variables.get(name) ? value : [{ kind: 'open', splits: false }],
      );
    }
    variables = merged;
  }
  const folders =
    a.folders === undefined || b.folders === undefined
      ? undefined
      : [...new Set([...a.folders, ...b.folders])];
  return {
    variables,
    folders: folders !== undefined && folders.length > 8 ? undefined : folders,
    throughLink: a.throughLink || b.throughLink,
  };
}
