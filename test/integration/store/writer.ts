// One window of many, for the tests beside: writes to a history until told otherwise, saying each thing it wrote.
import { openHistory } from '../../../src/store/openHistory.ts';

const [file = '', conversation = '', count = ''] = process.argv.slice(2);
const history = openHistory(file);
history.create({ id: conversation, workspace: '/w', createdAt: Date.now() });
for (let number = 0; number < Number(count); number++) {
  const id = `${process.pid}.${number}`;
  history.record(conversation, {
    type: 'item',
    item: { id, at: number, kind: 'assistant', text: '', state: 'streaming' },
  });
  history.record(conversation, { type: 'text', id, text: 'words ' });
  history.record(conversation, {
    type: 'item',
    item: { id, at: number, kind: 'assistant', text: 'words', state: 'complete' },
  });
  process.stdout.write(`${id}\n`);
  // Only between the pieces of a real stream is there time for timers to run.
  if (number % 20 === 0) await new Promise(resolve => setTimeout(resolve, 1));
}
history[Symbol.dispose]();
