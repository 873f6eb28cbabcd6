import type { TerminalExitStatus } from '@agentclientprotocol/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { TerminalOutput } from '../broker.ts';
import { defineTool, notDone, quoted, said, type ToolContext, type ToolResult } from './tool.ts';

const defaultTimeout = 600;

/** A background command that fails at once is reported at once: how long that is waited for, in milliseconds. */
const earlyFailure = 1_000;

export const runCommandTool = defineTool({
  name: 'run_command',
  description:
    'Runs a bash command line in the sandbox: no network, only the workspace folders. The user may be asked first and ' +
    'may refuse. Prefer simple commands, one per call. For servers and watchers set background.',
  kind: 'execute',
  isReadOnly: false,
  input: {
    command: z
      .string()
      .min(1)
      .max(100_000)
      .refine(text => !text.includes('\0'), 'must not hold a null byte')
      .describe('The whole command line.'),
    cwd: z.string().optional().describe('Folder to run in; the first workspace folder when absent.'),
    background: z.boolean().optional().describe('Return at once; read the output with command_output.'),
    timeout_seconds: z.number().int().min(1).max(3_600).optional().describe(`Default ${defaultTimeout}.`),
  },
  title: ({ command }) => `Run ${command}`,
  async run({ command, cwd = '.', background = false, timeout_seconds = defaultTimeout }, context) {
    const folder = await context.workspace.resolve(cwd);
    if (folder.kind === 'refused') return said(false, `${folder.message} The command was not run.`);
    if (!folder.exists) return said(false, `The folder ${cwd} does not exist. The command was not run.`);
    const meta = { toolCallId: context.toolCallId, background };
    const started = await context.broker.startCommand(command, folder.path, meta, context.signal);
    if (started.kind !== 'done') return notDone('The command was not run', started);
    const terminalId = started.value;
    await context.broker.update({
      sessionUpdate: 'tool_call_update',
      toolCallId: context.toolCallId,
      content: [{ type: 'terminal', terminalId }],
    });
    return background
      ? await inBackground(command, terminalId, context)
      : await inForeground(command, terminalId, timeout_seconds, context);
  },
});

async function inForeground(
  command: string,
  terminalId: string,
  seconds: number,
  context: ToolContext,
): Promise<ToolResult> {
  const { broker, signal } = context;
  try {
    const isOver = await exitWithin(terminalId, seconds * 1_000, context);
    if (!isOver) {
      await broker.kill(terminalId);
      await exitWithin(terminalId, 5_000, context);
    }
    const output = await broker.output(terminalId, signal);
    const note = isOver
      ? describeExit(output.exit)
      : `It did not end within ${seconds} seconds and was stopped. Set timeout_seconds, or run it in the background.`;
    return finished(
      command,
      terminalId,
      note,
      isOver ? output : { ...output, exit: output.exit ?? { signal: 'SIGKILL' } },
    );
  } finally {
    // Also ends it when the turn was stopped; nobody waits for that.
    if (signal.aborted) broker.kill(terminalId).catch(() => {});
    broker.release(terminalId).catch(() => {});
  }
}

async function inBackground(command: string, terminalId: string, context: ToolContext): Promise<ToolResult> {
  const entry = context.background.add(terminalId, command);
  await exitWithin(terminalId, earlyFailure, context);
  const output = await context.broker.output(terminalId, context.signal);
  entry.shown = output.text;
  const state =
    output.exit === undefined
      ? `It runs in the background as id ${entry.id}: command_output reads on, stop_command ends it.`
      : describeExit(output.exit);
  if (output.exit !== undefined) {
    context.background.remove(entry.id);
    context.broker.release(terminalId).catch(() => {});
  }
  return output.exit === undefined
    ? {
        ...quoted(true, state, `output of ${command}`, output.text || '(no output so far)'),
        content: [{ type: 'terminal', terminalId }],
      }
    : finished(command, terminalId, state, output);
}

function finished(command: string, terminalId: string, note: string, output: TerminalOutput): ToolResult {
  const cut = output.isTruncated ? ' Only the end of its output was kept.' : '';
  const ok = output.exit?.exitCode === 0;
  const text = output.text === '' ? '(no output)' : output.text;
  return {
    ...quoted(ok, `${note}${cut}`, `output of ${command}`, text),
    content: [{ type: 'terminal', terminalId }],
    rawOutput: { exitCode: output.exit?.exitCode ?? null, signal: output.exit?.signal ?? null },
  };
}

export function describeExit(exit: TerminalExitStatus | undefined): string {
  if (exit?.signal) return `It was ended by ${exit.signal}.`;
  return typeof exit?.exitCode === 'number' ? `Exit status ${exit.exitCode}.` : 'It ended.';
}

/** Whether the command ended within so many milliseconds. */
async function exitWithin(terminalId: string, milliseconds: number, context: ToolContext): Promise<boolean> {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    return await Promise.race([
      context.broker.waitForExit(terminalId, signal).then(() => true),
      sleep(milliseconds, false, { signal }),
    ]);
  } finally {
    over.abort();
  }
}
