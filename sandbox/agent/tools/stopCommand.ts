import * as z from 'zod';
import { defineTool, quoted, said } from './tool.ts';

export const stopCommandTool = defineTool({
  name: 'stop_command',
  description: 'Ends a background command and gives the rest of its output.',
  kind: 'execute',
  isReadOnly: false,
  input: { id: z.string().describe('As run_command gave it.') },
  title: ({ id }) => `Stop background command ${id}`,
  async run({ id }, context) {
    const entry = context.background.get(id);
    if (entry === undefined)
      return said(false, `There is no background command ${id}. Running: ${context.background.describe()}.`);
    await context.broker.kill(entry.terminalId);
    const output = await context.broker.output(entry.terminalId, context.signal);
    const rest = output.text.startsWith(entry.shown) ? output.text.slice(entry.shown.length) : output.text;
    context.background.remove(id);
    context.broker.release(entry.terminalId).catch(() => {});
    return quoted(
      true,
      'It was stopped.',
      `new output of ${entry.command}`,
      rest === '' ? '(nothing new)' : rest,
    );
  },
});
