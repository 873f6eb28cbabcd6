import type { ToolCallContent, ToolCallLocation, ToolKind } from '@agentclientprotocol/sdk';
import path from 'node:path';
import * as z from 'zod';
import { asData } from '../asData.ts';
import type { BackgroundCommands } from '../backgroundCommands.ts';
import type { Broker, Outcome } from '../broker.ts';
import { cutMiddle } from '../cutMiddle.ts';
import type { ReadLedger } from '../readLedger.ts';
import { legibleText } from '../legibleText.ts';
import { maxPath, type ResolvedPath, type Workspace } from '../workspace.ts';

/** One thing that the model may do. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly kind: ToolKind;
  /** Changes nothing and asks nobody, so several may run at once. */
  readonly isReadOnly: boolean;
  /** Of its arguments. */
  readonly schema: z.ZodObject;
  /** Checks arguments of the model's; the call is described, and not yet run. */
  prepare(args: unknown, workspace: Workspace): PreparedCall | InvalidCall;
}

export interface PreparedCall {
  readonly kind: 'prepared';
  /** For people: `Read src/a.js`. */
  readonly title: string;
  readonly locations: ToolCallLocation[];
  readonly rawInput: unknown;
  run(context: ToolContext): Promise<ToolResult>;
}

/** `message` says which arguments are wrong, for the model. */
export interface InvalidCall {
  readonly kind: 'invalid';
  readonly message: string;
}

export interface ToolContext {
  /** Of this call, in updates and requests to the broker. */
  readonly toolCallId: string;
  readonly workspace: Workspace;
  readonly ledger: ReadLedger;
  readonly broker: Broker;
  readonly background: BackgroundCommands;
  /** Files whose text in the editor is not saved: the broker has it. Absolute paths. */
  readonly unsaved: ReadonlySet<string>;
  /** The agent has a copy of the workspace: a change to unsaved text is made there, and the editor keeps what it has. */
  readonly hasCopy: boolean;
  /** Absolute path. */
  readonly ripgrep: string;
  /** Bytes of a file that the model reads at once, at most. */
  readonly pageBytes: number;
  readonly signal: AbortSignal;
}

export interface ToolResult {
  readonly ok: boolean;
  /** For the model. Foreign text in it is quoted by `asData`. */
  readonly text: string;
  /** For the panel; the text when absent. */
  readonly content?: ToolCallContent[];
  readonly rawOutput?: unknown;
}

interface ToolDefinition<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly description: string;
  readonly kind: ToolKind;
  readonly isReadOnly: boolean;
  readonly input: Shape;
  readonly title: (input: z.output<z.ZodObject<Shape>>, workspace: Workspace) => string;
  /** The file or folder concerned, as the model named it. */
  readonly path?: (input: z.output<z.ZodObject<Shape>>) => { path: string; line?: number } | undefined;
  readonly run: (input: z.output<z.ZodObject<Shape>>, context: ToolContext) => Promise<ToolResult>;
}

export function defineTool<Shape extends z.ZodRawShape>(definition: ToolDefinition<Shape>): Tool {
  // Strict: a field that does not exist is a misunderstanding, and better said than ignored.
  const schema = z.strictObject(definition.input);
  return {
    name: definition.name,
    description: definition.description,
    kind: definition.kind,
    isReadOnly: definition.isReadOnly,
    schema,
    prepare(args, workspace) {
      const parsed = schema.safeParse(args);
      if (!parsed.success) {
        const fields = Object.keys(definition.input).join(', ');
        return {
          kind: 'invalid',
          message: `${z.prettifyError(parsed.error)}\nThe fields of ${definition.name} are: ${fields}.`,
        };
      }
      const input = parsed.data as z.output<z.ZodObject<Shape>>;
      return {
        kind: 'prepared',
        title: oneLine(definition.title(input, workspace)),
        locations: locationOf(definition.path?.(input), workspace),
        rawInput: parsed.data,
        run: context => definition.run(input, context),
      };
    },
  };
}

function locationOf(
  given: { path: string; line?: number } | undefined,
  workspace: Workspace,
): ToolCallLocation[] {
  if (given === undefined || given.path.includes('\0')) return [];
  const absolute = path.resolve(workspace.cwd, given.path);
  // No file has a longer path, and the broker takes none.
  if (absolute.length > maxPath) return [];
  return [{ path: absolute, ...(given.line === undefined ? {} : { line: given.line }) }];
}

function oneLine(title: string): string {
  const line = legibleText(title).replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** A result in Cordon's own words. */
export function said(ok: boolean, text: string): ToolResult {
  return { ok, text };
}

/** A result that is foreign text, with a sentence of ours before it. */
export function quoted(
  ok: boolean,
  sentence: string,
  source: string,
  text: string,
  max?: number,
): ToolResult {
  return {
    ok,
    text: `${sentence}\n${asData(source, text, max)}`,
    content: [textContent(cutMiddle(legibleText(text), max))],
  };
}

export function textContent(text: string): ToolCallContent {
  return { type: 'content', content: { type: 'text', text } };
}

/** Why something did not happen, for the model. `deed` is what was not done: `The command was not run`. */
export function notDone(deed: string, why: Exclude<Outcome<never>, { kind: 'done' }>): ToolResult {
  switch (why.kind) {
    case 'denied': {
      const who = { user: 'The user', policy: "The user's policy", sandbox: 'The sandbox' }[why.by];
      const words =
        why.reason.trim() === '' ? '' : ` ${why.by === 'user' ? 'They say' : 'Reason'}: ${why.reason.trim()}`;
      return said(
        false,
        `DENIED. ${deed}. ${who} refused it.${words}\n` +
          'Do not try to reach the same end another way. Go on with what is allowed, or tell the user what you need.',
      );
    }
    case 'conflict':
      return said(
        false,
        `${deed}, because the file changed since you read it. Read it again first. (${why.message})`,
      );
    case 'failed':
      return said(false, `${deed}. ${why.message}`);
  }
}

/** Why a tool that works on folders does not work there, and what does. */
export function outsideFolder(resolved: Exclude<ResolvedPath, { kind: 'inside' }>): string {
  if (resolved.kind === 'refused') return resolved.message;
  return (
    `${resolved.message} This tool does not look there. ` +
    'read_file reads single files there if the user allows it; commands see folders that the user has opened.'
  );
}
