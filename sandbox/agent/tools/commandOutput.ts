import * as z from 'zod';
import { defineTool, quoted, said } from './tool.ts';
import { describeExit } from './runCommand.ts';

export const commandOutputTool = defineTool({
  name: 'command_output',
  description:
    'Reads what a background command has printed since you last looked, and whether it still runs.',
  kind: 'execute',
  isReadOnly: true,
  input: { id: z.string().describe('As run_command gave it.') },
  title: ({ id }) => `Read output of background command ${id}`,
  async run({ id }, context) {
    const entry = context.background.get(id);
    if (entry === undefined)
      return said(false, `There is no background command ${id}. Running: ${context.background.describe()}.`);
    // Asked before the output, so that nothing printed at the very end is missed.
    const { exit } = entry;
    const output = await context.broker.output(entry.terminalId, context.signal);
    const isNew = output.text.startsWith(entry.shown) ? output.text.slice(entry.shown.length) : output.text;
    entry.shown = output.text;
    const state = exit === undefined ? 'It still runs.' : describeExit(exit);
    if (exit !== undefined) {
      context.background.remove(id);
      context.broker.release(entry.terminalId).catch(() => {});
    }
    return quoted(true, state, `new output of ${entry.command}`, isNew === '' ? '(nothing new)' : isNew);
  },
});
