import { expect, test } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { PanelChannel, parse } from '../../../src/panel/channel.ts';
import { maxPanelMessage, type HostMessage } from '../../../src/protocol/panel.ts';

function channel() {
  const posted: unknown[] = [];
  const received: unknown[] = [];
  let ready = 0;
  const made = new PanelChannel(
    // Of the webview the channel uses nothing but this one method.
    { postMessage: async (message: unknown) => posted.push(message) > 0 } as never,
    { onReady: () => (ready += 1), onMessage: message => received.push(message), log: silentLog },
  );
  return { made, posted, received, readies: () => ready };
}

test('nothing is posted before the panel says ready', () => {
  const { made, posted, readies } = channel();
  const message: HostMessage = { type: 'focusPrompt' };
  made.post(message);
  made.receive({ type: 'ready' });
  made.post(message);
  expect({ posted, ready: readies() }).toEqual({ posted: [message], ready: 1 });
});

test('a message that fits the schema arrives; anything else is dropped and named', () => {
  const { made, received } = channel();
  made.receive({ type: 'send', text: 'hello' });
  made.receive({ type: 'evaluate', code: '1' });
  made.receive({ type: 'answerApproval', id: 'x', answer: { kind: 'allowEverything' } });
  made.receive(undefined);
  made.receive('ready');
  expect(received).toEqual([{ type: 'send', text: 'hello' }]);
  expect(parse({ type: 'answerApproval', id: 'x', answer: { kind: 'allowEverything' } })).toMatch(/answer/);
});

test('unknown fields do not ride along', () => {
  expect(parse({ type: 'stop', and: 'more' })).toEqual({ type: 'stop' });
});

test('an oversized message is refused before it is parsed', () => {
  expect(parse({ type: 'send', text: 'x'.repeat(maxPanelMessage) })).toMatch(/at most/);
});

test('a message that is not plain data is refused', () => {
  const loop: Record<string, unknown> = { type: 'send' };
  loop['text'] = loop;
  expect(parse(loop)).toBe('not plain data');
});
