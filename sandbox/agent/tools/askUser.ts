import * as z from 'zod';
import { defineTool, said } from './tool.ts';

export const askUserTool = defineTool({
  name: 'ask_user',
  description:
    'Asks the user one question and waits for the answer. Only when you cannot find out by yourself and a wrong guess ' +
    'would cost them something. Give options when the answers are few.',
  kind: 'other',
  isReadOnly: false,
  input: {
    question: z.string().min(1).max(4_000),
    options: z.array(z.string().min(1).max(200)).max(10).optional().describe('Answers to choose from.'),
  },
  title: ({ question }) => `Ask: ${question}`,
  async run({ question, options = [] }, context) {
    const answer = await context.broker.ask(question, options, context.toolCallId, context.signal);
    return answer.kind === 'answered'
      ? said(true, `The user answers: ${answer.text}`)
      : said(true, 'The user did not answer. Go on with what you know, or stop and say what you would need.');
  },
});
