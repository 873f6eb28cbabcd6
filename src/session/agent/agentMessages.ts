import { quote } from 'shell-quote';
import * as z from 'zod';
import { DeleteFileRequest, ReadMeta, TerminalMeta, WriteMeta } from '../../protocol/agent.ts';

// What an agent may say to the broker: the part of the Agent Client Protocol that Cordon answers, every field bounded.
// Anything that does not fit ends the session. Fields we do not use are dropped, as the protocol asks.

const id = z.string().min(1).max(200);
const absolutePath = z.string().max(4_096).startsWith('/');
/** Text that is only shown: cut, not refused. */
const label = (length: number) => z.string().transform(text => text.slice(0, length));

/** Content that is not text is shown by a word; the panel loads nothing. */
const ContentBlock = z
  .looseObject({ type: z.string(), text: z.string().optional() })
  .transform(block => (block.type === 'text' ? (block.text ?? '') : `[${block.type.slice(0, 40)}]`));

const ToolKind = z.enum([
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'switch_mode',
  'other',
]);

const ToolContent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('content'), content: ContentBlock }),
  // What an edit really changed is told by the file writer; the agent's own account of it is not shown.
  z.object({ type: z.literal('diff') }),
  z.object({ type: z.literal('terminal') }),
]);

const toolCall = {
  toolCallId: id,
  kind: ToolKind.nullish(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'cancelled']).nullish(),
  content: z.array(ToolContent).max(1_000).nullish(),
  locations: z
    .array(z.object({ path: z.string().max(4_096), line: z.number().int().nullish() }))
    .transform(all => all.slice(0, 100))
    .nullish(),
};

/** What the agent says of one of its tool calls; absent fields stay as they were. */
export const ToolCallReport = z.object({ ...toolCall, title: label(500).nullish() });
export type ToolCallReport = z.infer<typeof ToolCallReport>;

export const PlanEntries = z
  .array(
    z.object({
      content: label(2_000),
      priority: z.enum(['high', 'medium', 'low']),
      status: z.enum(['pending', 'in_progress', 'completed']),
    }),
  )
  .transform(entries => entries.slice(0, 200));

export const AgentUpdate = z.discriminatedUnion('sessionUpdate', [
  z.object({ sessionUpdate: z.literal('agent_message_chunk'), content: ContentBlock }),
  z.object({ sessionUpdate: z.literal('agent_thought_chunk'), content: ContentBlock }),
  z.object({ sessionUpdate: z.literal('tool_call'), ...ToolCallReport.shape }),
  z.object({ sessionUpdate: z.literal('tool_call_update'), ...ToolCallReport.shape }),
  z.object({ sessionUpdate: z.literal('plan'), entries: PlanEntries }),
  // Part of the protocol, but not shown: the broker has its own words for these.
  z.object({
    sessionUpdate: z.enum([
      'user_message_chunk',
      'available_commands_update',
      'current_mode_update',
      'config_option_update',
      'session_info_update',
      'usage_update',
      'notice',
      'compaction_update',
      'compaction_summary_chunk',
    ]),
  }),
]);
export type AgentUpdate = z.infer<typeof AgentUpdate>;

export const UpdateNotification = z.object({ sessionId: id, update: AgentUpdate });

// What Cordon adds to a standard message rides beside its own fields, and is put among them here.

export const CreateTerminal = z
  .object({
    sessionId: id,
    /** A whole shell line; with `args` a program, and both become one line that means exactly them. */
    command: z.string().min(1),
    args: z.array(z.string()).nullish(),
    // Variables of the agent's would be another thing than what is judged and shown.
    env: z.array(z.unknown()).max(0).nullish(),
    cwd: absolutePath.nullish(),
    outputByteLimit: z.number().int().nonnegative().nullish(),
    _meta: z.object({ cordon: TerminalMeta }),
  })
  .transform(({ _meta: meta, args, command, ...message }) => ({
    ...message,
    command: args?.length ? quote([command, ...args]) : command,
    ...meta.cordon,
  }))
  // Well below what one argument of a program may hold (128 KB).
  .refine(({ command }) => command.length <= 100_000, 'The command is too long.');
export type CreateTerminal = z.infer<typeof CreateTerminal>;

export const TerminalReference = z.object({ sessionId: id, terminalId: id });

export const WriteTextFile = z
  .object({ sessionId: id, path: absolutePath, content: z.string(), _meta: z.object({ cordon: WriteMeta }) })
  .transform(({ _meta: meta, ...message }) => ({ ...message, ...meta.cordon }));
export type WriteTextFile = z.infer<typeof WriteTextFile>;

export const ReadTextFile = z
  .object({
    sessionId: id,
    path: absolutePath,
    /** First line, counted from 1, and the number of lines; the whole file when absent. */
    line: z.number().int().min(1).nullish(),
    limit: z.number().int().min(0).nullish(),
    _meta: z.object({ cordon: ReadMeta }),
  })
  .transform(({ _meta: meta, ...message }) => ({ ...message, ...meta.cordon }));
export type ReadTextFile = z.infer<typeof ReadTextFile>;

export const DeleteFile = DeleteFileRequest.extend({ path: absolutePath });
export type DeleteFile = z.infer<typeof DeleteFile>;

/** The one form that is asked: a text, or one of several. */
export const AskUser = z.object({
  sessionId: id,
  mode: z.literal('form'),
  message: z.string().min(1).max(20_000),
  requestedSchema: z.object({
    properties: z.object({
      answer: z.object({
        type: z.literal('string'),
        enum: z.array(z.string().max(2_000)).max(50).nullish(),
        oneOf: z
          .array(z.object({ const: z.string().max(2_000) }))
          .max(50)
          .nullish(),
      }),
    }),
  }),
});
export type AskUser = z.infer<typeof AskUser>;
