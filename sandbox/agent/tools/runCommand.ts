import type { TerminalExitStatus } from '@agentclientprotocol/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { TerminalOutput } from '../broker.ts';
import { defineTool, notDone, quoted, said, type ToolContext, type ToolResult } from './tool.ts';

const defaultTimeout = 600;

/** A background command that fails at once is reported at once: how long that is waited for, in milliseconds. */
const earlyFailure = 1_000;

/** How long a killed command may take to be gone, in milliseconds. */
const killTime = 5_000;

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
    // Outside, the broker knows whether the user has opened that folder.
    if (folder.kind === 'inside' && !folder.exists)
      return said(false, `The folder ${cwd} does not exist. The command was not run.`);
    const meta = { toolCallId: context.toolCallId, background };
    const started = await context.broker.startCommand(command, folder.path, meta, context.signal);
    if (started.kind !== 'done') {
      const where = folder.kind === 'outside' ? `${folder.message} ` : '';
      return notDone(`${where}The command was not run`, started);
    }
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
    const exit = await exitWithin(terminalId, seconds * 1_000, context);
    if (exit !== undefined)
      return finished(command, terminalId, describeExit(exit), exit, await broker.output(terminalId, signal));
    await broker.kill(terminalId);
    const killed = (await exitWithin(terminalId, killTime, context)) ?? { signal: 'SIGKILL' };
    const note = `It did not end within ${seconds} seconds and was stopped. Set timeout_seconds, or run it in the background.`;
    return finished(
      command,
      terminalId,
      note,
      { ...killed, exitCode: null },
      await broker.output(terminalId, signal),
    );
  } finally {
    // Releasing also ends a command that the stopped turn left running; nobody waits for that.
    broker.release(terminalId).catch(() => {});
  }
}

async function inBackground(command: string, terminalId: string, context: ToolContext): Promise<ToolResult> {
  const { broker, background, signal } = context;
  const entry = background.add(
    terminalId,
    command,
    broker.waitForExit(terminalId, new AbortController().signal),
  );
  await exitWithin(terminalId, earlyFailure, context);
  const output = await broker.output(terminalId, signal);
  entry.shown = output.text;
  if (entry.exit === undefined) {
    const state = `It runs in the background as id ${entry.id}: command_output reads on, stop_command ends it.`;
    const text = output.text === '' ? '(no output so far)' : output.text;
    return {
      ...quoted(true, state, `output of ${command}`, text),
      content: [{ type: 'terminal', terminalId }],
    };
  }
  background.remove(entry.id);
  broker.release(terminalId).catch(() => {});
  return finished(command, terminalId, describeExit(entry.exit), entry.exit, output);
}

function finished(
  command: string,
  terminalId: string,
  note: string,
  exit: TerminalExitStatus,
  output: TerminalOutput,
): ToolResult {
  const cut = output.isTruncated ? ' Only the end of its output was kept.' : '';
  const text = output.text === '' ? '(no output)' : output.text;
  return {
    ...quoted(exit.exitCode === 0, `${note}${cut}`, `output of ${command}`, text),
    content: [{ type: 'terminal', terminalId }],
    rawOutput: { exitCode: exit.exitCode ?? null, signal: exit.signal ?? null },
  };
}

export function describeExit(exit: TerminalExitStatus): string {
  if (exit.signal) return `It was ended by ${exit.signal}.`;
  return typeof exit.exitCode === 'number' ? `Exit status ${exit.exitCode}.` : 'It ended.';
}

/** How the command ended, if it did within so many milliseconds. */
async function exitWithin(
  terminalId: string,
  milliseconds: number,
  context: ToolContext,
): Promise<TerminalExitStatus | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    return await Promise.race([
      context.broker.waitForExit(terminalId, signal),
      sleep(milliseconds, undefined, { signal }),
    ]);
  } finally {
    over.abort();
  }
}
