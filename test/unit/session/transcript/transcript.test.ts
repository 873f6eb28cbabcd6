import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import {
  applyEvent,
  emptyConversation,
  type SessionEvent,
  type TranscriptItem,
} from '../../../../src/protocol/transcript.ts';
import { Transcript } from '../../../../src/session/transcript/transcript.ts';

function recorded() {
  const events: SessionEvent[] = [];
  return {
    events,
    transcript: new Transcript(emptyConversation('c'), event => void events.push(event), silentLog),
  };
}

const message = (id: string, text = ''): TranscriptItem => ({
  id,
  at: 1,
  kind: 'assistant',
  text,
  state: 'streaming',
});
const call = (id: string): TranscriptItem => ({
  id,
  at: 1,
  kind: 'toolCall',
  tool: 'execute',
  title: id,
  state: { kind: 'pending' },
  locations: [],
  diffs: [],
  output: '',
});

test('what streams in small pieces is told in few', () => {
  const { events, transcript } = recorded();
  transcript.put(message('m'));
  transcript.flush();
  for (const letter of 'Hello world') transcript.append('m', letter);
  expect(transcript.item('m')).toMatchObject({ text: 'Hello world' });
  transcript.tell({ type: 'status', status: 'idle' });
  expect(events).toEqual([
    { type: 'item', item: message('m') },
    { type: 'text', id: 'm', text: 'Hello world' },
    { type: 'status', status: 'idle' },
  ]);
});

test('gathered text is told by itself after a moment', async () => {
  const { events, transcript } = recorded();
  transcript.put(message('m'));
  transcript.append('m', 'soon');
  await expect
    .poll(() => events, { timeout: 15_000 })
    .toEqual([{ type: 'item', item: message('m', 'soon') }]);
});

test('text for what is not there, or takes none, is dropped', () => {
  const { events, transcript } = recorded();
  transcript.put({ id: 'u', at: 1, kind: 'user', text: 'mine' });
  transcript.append('u', ' and not yours');
  transcript.append('nobody', 'x');
  transcript.flush();
  expect(events).toEqual([{ type: 'item', item: { id: 'u', at: 1, kind: 'user', text: 'mine' } }]);
});

test('a listener that fails does not stop the conversation', () => {
  const transcript = new Transcript(
    emptyConversation('c'),
    () => {
      throw new Error('full disk');
    },
    silentLog,
  );
  transcript.tell({ type: 'title', title: 'Still here' });
  expect(transcript.conversation.title).toBe('Still here');
});

test('whatever happens in whatever order, the events told sum up to the newest state', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), id, text: fc.string({ maxLength: 40_000 }) }),
    fc.record({ do: fc.constant('message' as const), id, text: fc.string() }),
    fc.record({ do: fc.constant('call' as const), id, text: fc.constant('') }),
    fc.record({ do: fc.constant('flush' as const), id, text: fc.constant('') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const { events, transcript } = recorded();
      for (const { do: what, id: item, text } of steps) {
        if (what === 'append') transcript.append(item, text);
        else if (what === 'message') transcript.put(message(item, text));
        else if (what === 'call') transcript.put(call(item));
        else transcript.flush();
      }
      const newest = ['a', 'b', 'c'].map(each => transcript.item(each));
      transcript.flush();
      const summed = events.reduce(applyEvent, emptyConversation('c'));
      expect(summed).toEqual(transcript.conversation);
      expect(['a', 'b', 'c'].map(each => summed.items.find(item => item.id === each))).toEqual(newest);
    }),
  );
});
