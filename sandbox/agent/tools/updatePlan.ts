import * as z from 'zod';
import { defineTool, said } from './tool.ts';

export const updatePlanTool = defineTool({
  name: 'update_plan',
  description:
    'Shows the user your plan for work of several steps: all entries each time. Keep one entry in progress and update ' +
    'it as you go. Not for small tasks.',
  kind: 'think',
  isReadOnly: false,
  input: {
    entries: z
      .array(
        z.strictObject({
          content: z.string().min(1).max(1_000).describe('One step, in a few words.'),
          status: z.enum(['pending', 'in_progress', 'completed']),
          priority: z.enum(['high', 'medium', 'low']).optional(),
        }),
      )
      .max(50),
  },
  title: () => 'Update plan',
  async run({ entries }, context) {
    await context.broker.update({
      sessionUpdate: 'plan',
      entries: entries.map(entry => ({ ...entry, priority: entry.priority ?? 'medium' })),
    });
    return said(true, 'The plan is shown to the user.');
  },
});
