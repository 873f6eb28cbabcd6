import { expect, test } from 'vitest';
import { reduce } from '../../../webview/reducer.ts';
import {
  commandRequest,
  conversation,
  event,
  history,
  state,
  user,
  wholeTask,
} from '../../integration/webview/conversations.ts';

const copy = <T>(value: T): T => structuredClone(value);

test('an event before the first state shows nothing', () => {
  expect(reduce(null, event({ type: 'status', status: 'running' }))).toBeNull();
});

test('a state that is sent again is the same object, so nothing is drawn', () => {
  const shown = reduce(null, { type: 'state', state: state({ conversation: wholeTask, history }) });
  expect(reduce(shown, { type: 'state', state: copy(state({ conversation: wholeTask, history })) })).toBe(
    shown,
  );
});

test('in a new state whatever equals the old keeps its identity', () => {
  const shown = state({ conversation: wholeTask, history });
  const next = copy(shown);
  next.mode = 'locked';
  next.conversation.items.push(user('new', 'Another'));
  const result = reduce(shown, { type: 'state', state: next });
  expect(result).toEqual(next);
  expect(result?.history).toBe(shown.history);
  expect(
    result?.conversation.items.slice(0, -1).every((item, index) => item === shown.conversation.items[index]),
  ).toBe(true);
});

test('an item that lost a field is not taken for the old one', () => {
  const shown = state({ conversation: conversation({ items: [{ ...wholeTask.items[5] } as never] }) });
  const next = copy(shown);
  Reflect.deleteProperty(next.conversation.items[0] ?? {}, 'allowedBy');
  expect(reduce(shown, { type: 'state', state: next })).toEqual(next);
});

test('events of another conversation leave the state as it is', () => {
  const shown = state();
  expect(reduce(shown, event({ type: 'title', title: 'x' }, 'other'))).toBe(shown);
});

test('a request or question told of by state and by event is there once', () => {
  const request = commandRequest('npm test', 10);
  const question = { id: 'q', question: 'Which?', options: [] };
  const shown = state({ conversation: conversation({ approvals: [request], questions: [question] }) });
  const twice = reduce(
    reduce(shown, event({ type: 'approval', request })),
    event({ type: 'question', question }),
  );
  expect(twice?.conversation.approvals).toEqual([request]);
  expect(twice?.conversation.questions).toEqual([question]);
});
