import type { Finding } from '../finding.ts';
import type { PathUse } from '../paths/judgePath.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import type { SimpleCommand } from '../shell/line.ts';

/** What an operand or an option's value is: any text, or a path and what is done with it. */
export type OperandUse = 'text' | PathUse;

/**
 * What is known of one tool that only reads. What the table does not name is asked. Options are written as blank
 * separated names: `'-a --all'`.
 */
export interface ToolTable {
  /** The command's name, or for a tool with subcommands the words that begin it: `git log`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Why its forms listed here change nothing. */
  readonly reason: string;
  /** Options without a value. */
  readonly flags?: string;
  /** Options that take a value which is only text. */
  readonly values?: string;
  /** Of those, the ones that may come last without their value. */
  readonly lastMayLack?: string;
  /** Options whose value may only be joined to them (`--color=auto`, `-M90`), and is only text. */
  readonly optional?: string;
  /** Options whose value is a path that is read. */
  readonly reads?: string;
  /** Options that write, run or reveal something, each with what it does, after "This". */
  readonly dangers?: Readonly<Record<string, string>>;
  /** What operands are: one use for all, or the first ones apart (the last entry holds for the rest). Default: none allowed. */
  readonly operands?: OperandUse | readonly OperandUse[];
  readonly maxOperands?: number;
  /** Without operands it works on the working folder. */
  readonly usesFolder?: boolean;
  /** `-5` is an option. */
  readonly numbers?: boolean;
  /** No option of this tool can do harm, so that a word which may turn out to be one is no danger. */
  readonly anyOption?: boolean;
  /** It has no options that matter: every word is an operand. */
  readonly anyWord?: boolean;
  /** Options end at the first operand. */
  readonly stopsAtOperand?: boolean;
  /** Judges what a table cannot say: small languages, options that matter together. */
  readonly refine?: (
    parsed: ParsedArguments,
    command: SimpleCommand,
    context: JudgeContext,
  ) => readonly Finding[];
  /** Lines that are allowed in a workspace, and lines that are not; checked by the tests for every table. */
  readonly allows: readonly string[];
  readonly asks: readonly string[];
}

/** The same knowledge, indexed for reading a command line. */
export interface ToolOptions {
  readonly kinds: ReadonlyMap<string, OptionKind>;
}

export type OptionKind =
  | { readonly kind: 'flag' | 'value' | 'optional' | 'read' }
  | { readonly kind: 'danger'; readonly does: string };

const indexed = new WeakMap<ToolTable, ToolOptions>();

/** The table's options by name; made when first needed. */
export function optionsOf(table: ToolTable): ToolOptions {
  let options = indexed.get(table);
  if (options === undefined) {
    const kinds = new Map<string, OptionKind>();
    for (const [names, kind] of [
      [table.flags, 'flag'],
      [table.values, 'value'],
      [table.optional, 'optional'],
      [table.reads, 'read'],
    ] as const) {
      for (const name of names?.split(/\s+/) ?? []) if (name !== '') kinds.set(name, { kind });
    }
    for (const [names, does] of Object.entries(table.dangers ?? {}))
      for (const name of names.split(/\s+/)) kinds.set(name, { kind: 'danger', does });
    options = { kinds };
    indexed.set(table, options);
  }
  return options;
}
