import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitContext, tokensOf } from '../../../sandbox/agent/context.ts';
import { Conversation } from '../../../sandbox/agent/conversation.ts';
import type { ModelMessage } from '../../../sandbox/agent/model.ts';

/** A conversation as turns happen: words, then steps of calls with results, then maybe an answer. */
const turn = fc.record({
  words: fc.integer({ min: 1, max: 3_000 }),
  steps: fc.array(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 3 }), {
    maxLength: 5,
  }),
  answers: fc.boolean(),
});

function built(
  turns: readonly { words: number; steps: readonly (readonly number[])[]; answers: boolean }[],
): Conversation {
  const conversation = new Conversation();
  let id = 0;
  for (const { words, steps, answers } of turns) {
    conversation.addUserText('w'.repeat(words));
    for (const sizes of steps) {
      const calls = sizes.map(size => ({
        kind: 'toolCall' as const,
        callId: `c${id++}`,
        name: 'read_file',
        json: '{}',
        size,
      }));
      conversation.addAnswer(
        calls.map(({ callId, name, json }) => ({ kind: 'toolCall', callId, name, json })),
      );
      conversation.addResults(
        calls.map(call => ({
          kind: 'toolResult',
          callId: call.callId,
          ok: true,
          text: 'r'.repeat(call.size),
        })),
      );
    }
    if (answers) conversation.addAnswer([{ kind: 'text', text: 'Done.' }]);
  }
  return conversation;
}

/** What every provider insists on. */
function problems(messages: readonly ModelMessage[]): string[] {
  const found: string[] = [];
  if (messages.length > 0 && messages[0]?.role !== 'user') found.push("the first message is not the user's");
  messages.forEach((message, index) => {
    const next = messages[index + 1];
    const previous = messages[index - 1];
    if (next?.role === message.role) found.push(`two messages of ${message.role} in a row`);
    if (message.parts.length === 0) found.push('an empty message');
    const calls = message.parts.flatMap(part => (part.kind === 'toolCall' ? [part.callId] : []));
    const answered = (next?.parts ?? []).flatMap(part => (part.kind === 'toolResult' ? [part.callId] : []));
    if (next !== undefined && calls.join() !== answered.join()) found.push('calls without their results');
    const results = message.parts.flatMap(part => (part.kind === 'toolResult' ? [part.callId] : []));
    const called = (previous?.parts ?? []).flatMap(part => (part.kind === 'toolCall' ? [part.callId] : []));
    if (results.join() !== called.join()) found.push('results without their calls');
  });
  return found;
}

test('whatever is left out, the conversation stays one that providers accept', () => {
  fc.assert(
    fc.property(
      fc.array(turn, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 500, max: 40_000 }),
      (turns, budget) => {
        const { messages } = built(turns);
        expect(problems(messages)).toEqual([]);
        const fitted = fitContext(messages, budget);
        expect(problems(fitted)).toEqual([]);
        // The newest message is never dropped.
        expect(fitted.at(-1)?.role).toBe(messages.at(-1)?.role);
        expect(tokensOf(fitted)).toBeLessThanOrEqual(tokensOf(messages));
        expect(fitted === messages).toBe(tokensOf(messages) <= budget);
      },
    ),
    { numRuns: 500 },
  );
});

test('a conversation that can be made to fit does fit', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 6 }), turns => {
      expect(tokensOf(fitContext(built(turns).messages, 8_000))).toBeLessThanOrEqual(8_000);
    }),
    { numRuns: 300 },
  );
});

describe('what goes first', () => {
  const big = 'r'.repeat(35_000);
  const call = (id: string): ModelMessage => ({
    role: 'assistant',
    parts: [{ kind: 'toolCall', callId: id, name: 'read_file', json: '{}' }],
  });
  const result = (id: string, text = big): ModelMessage => ({
    role: 'user',
    parts: [{ kind: 'toolResult', callId: id, ok: true, text }],
  });
  const user = (text: string): ModelMessage => ({ role: 'user', parts: [{ kind: 'text', text }] });
  const left = '[This tool result was left out to make room. Run the tool again if you need it.]';

  test('the oldest tool results, and never the newest', () => {
    const messages = [user('a'), call('1'), result('1'), call('2'), result('2')];
    expect(fitContext(messages, 15_000)).toEqual([
      user('a'),
      call('1'),
      result('1', left),
      call('2'),
      result('2'),
    ]);
  });

  test('then the oldest turns, with a note', () => {
    const said: ModelMessage = { role: 'assistant', parts: [{ kind: 'text', text: 's'.repeat(35_000) }] };
    const messages = [user('first'), said, user('second')];
    expect(fitContext(messages, 9_000)).toEqual([
      {
        role: 'user',
        parts: [
          { kind: 'text', text: '[Earlier parts of this conversation were left out to make room.]' },
          { kind: 'text', text: 'second' },
        ],
      },
    ]);
  });
});

test('a history that begins with the assistant, or has empty turns, is still a conversation', () => {
  const conversation = new Conversation([
    { role: 'assistant', text: 'Hello.' },
    { role: 'user', text: ' ' },
    { role: 'assistant', text: 'Still there?' },
    { role: 'user', text: 'Yes.' },
    { role: 'user', text: 'Go on.' },
  ]);
  expect(problems(conversation.messages)).toEqual([]);
  expect(conversation.messages.map(message => message.role)).toEqual(['user', 'assistant', 'user']);
});
