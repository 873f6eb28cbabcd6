import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { anthropicModel } from '../../../sandbox/agent/anthropicModel.ts';
import type { ModelAnswer, ModelClient, ModelDelta } from '../../../sandbox/agent/model.ts';
import { openaiModel } from '../../../sandbox/agent/openaiModel.ts';

// What compatible servers send beyond, or short of, the protocol, byte for byte; the real SDKs read it.

async function answerTo(
  events: readonly (string | object)[],
  open: (baseUrl: string) => ModelClient,
): Promise<{ answer: ModelAnswer; deltas: ModelDelta[] }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) {
      const name = typeof event === 'object' && 'type' in event ? `event: ${String(event.type)}\n` : '';
      response.write(`${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
    }
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const deltas: ModelDelta[] = [];
  try {
    const client = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const request = {
      system: ['s'],
      tools: [],
      messages: [{ role: 'user' as const, parts: [{ kind: 'text' as const, text: 'Hi' }] }],
    };
    return {
      answer: await client.answer(request, delta => deltas.push(delta), new AbortController().signal),
      deltas,
    };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const endpoint = { token: 't', model: 'm', maxOutputTokens: 100 };

describe('Chat Completions', () => {
  const chat = (...deltas: (object | string)[]) =>
    answerTo(
      deltas.map(delta =>
        typeof delta === 'string' || 'error' in delta ? delta : { choices: [{ index: 0, ...delta }] },
      ),
      baseUrl => openaiModel({ ...endpoint, baseUrl }),
    );
  const call = (...tool_calls: object[]) => ({ delta: { tool_calls } });

  test('several whole calls under one index are several calls', async () => {
    const { answer } = await chat(
      call({ index: 0, id: 'a', function: { name: 'one', arguments: '{}' } }),
      call({ index: 0, id: 'b', function: { name: 'two', arguments: '{"x":1}' } }),
      { delta: {}, finish_reason: 'stop' },
      '[DONE]',
    );
    expect(answer).toEqual({
      stop: 'toolCalls',
      parts: [
        { kind: 'toolCall', callId: 'a', name: 'one', json: '{}' },
        { kind: 'toolCall', callId: 'b', name: 'two', json: '{"x":1}' },
      ],
    });
  });

  test('an id that is repeated with each piece, given twice, or missing', async () => {
    const { answer, deltas } = await chat(
      call({ index: 0, id: 'a', function: { name: 'one', arguments: '{"x"' } }),
      call({ index: 0, id: 'a', function: { arguments: ':1}' } }),
      call({ index: 1, id: 'a', function: { name: 'two', arguments: '{' } }),
      call({ index: 1, id: 'a', function: { arguments: '}' } }),
      call({ index: 2, function: { name: 'three', arguments: '' } }),
      { delta: {}, finish_reason: 'tool_calls' },
      '[DONE]',
    );
    const calls = answer.parts.filter(part => part.kind === 'toolCall');
    expect(calls.map(({ name, json }) => [name, json])).toEqual([
      ['one', '{"x":1}'],
      ['two', '{}'],
      ['three', ''],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).toBe(3);
    expect(deltas.map(delta => (delta.kind === 'toolCall' ? delta.name : ''))).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('thoughts of reasoning models, under both names', async () => {
    const { answer, deltas } = await chat(
      { delta: { reasoning_content: 'hm' } },
      { delta: { reasoning: 'so' } },
      { delta: { content: 'Yes.' }, finish_reason: 'stop' },
      '[DONE]',
    );
    expect(deltas).toEqual([
      { kind: 'thought', text: 'hm' },
      { kind: 'thought', text: 'so' },
      { kind: 'text', text: 'Yes.' },
    ]);
    expect(answer).toEqual({ stop: 'end', parts: [{ kind: 'text', text: 'Yes.' }] });
  });

  test.each([
    ['length', 'maxTokens'],
    ['content_filter', 'refusal'],
    ['function_call', 'end'],
  ])('finish reason %s', async (finish_reason, stop) => {
    expect((await chat({ delta: { content: 'x' }, finish_reason }, '[DONE]')).answer.stop).toBe(stop);
  });

  test('an error in the stream, a stream without end, and one that is not JSON', async () => {
    await expect(chat({ error: { message: 'Provider is down.' } })).rejects.toThrow('Provider is down.');
    await expect(chat({ delta: { content: 'x' } })).rejects.toThrow('broke in the middle');
    await expect(chat('{nope')).rejects.toThrow('could not be read');
  });
});

describe('Anthropic Messages', () => {
  const messages = (...events: (object | string)[]) =>
    answerTo(events, baseUrl => anthropicModel({ ...endpoint, baseUrl }));
  const start = { type: 'message_start', message: { usage: {} } };
  const stop = (stop_reason: string) => [
    { type: 'message_delta', delta: { stop_reason }, usage: {} },
    { type: 'message_stop' },
  ];

  test('a call whose input is whole at once, and one whose input is broken', async () => {
    const { answer } = await messages(
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
      },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 'b', name: 'two', input: {} },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"x' } },
      ...stop('tool_use'),
    );
    expect(answer).toEqual({
      stop: 'toolCalls',
      parts: [
        { kind: 'toolCall', callId: 'a', name: 'one', json: '{"x":1}' },
        { kind: 'toolCall', callId: 'b', name: 'two', json: '{"x' },
      ],
    });
  });

  test.each([
    ['end_turn', 'end'],
    ['max_tokens', 'maxTokens'],
    ['model_context_window_exceeded', 'maxTokens'],
    ['refusal', 'refusal'],
    ['pause_turn', 'paused'],
    ['something_new', 'end'],
  ])('stop reason %s', async (reason, expected) => {
    expect((await messages(start, ...stop(reason))).answer.stop).toBe(expected);
  });

  test('an error in the stream, a stream without end, and one that is not JSON', async () => {
    await expect(
      messages(start, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded.' } }),
    ).rejects.toThrow('Overloaded.');
    await expect(messages(start)).rejects.toThrow('broke in the middle');
    await expect(messages(start, '{nope')).rejects.toThrow(/could not be read|broke/);
  });
});
