import { describe, expect, test } from 'vitest';
import { AnthropicRequest } from '../../../src/gateway/anthropicRequest.ts';
import { OpenaiRequest } from '../../../src/gateway/openaiRequest.ts';

const message = { role: 'user', content: 'Hi' };
const tool = { name: 'read_file', description: 'Reads.', input_schema: { type: 'object', properties: {} } };
const anthropic = { model: 'm', max_tokens: 10, stream: true, messages: [message], tools: [tool] };
const openai = {
  model: 'm',
  stream: true,
  messages: [{ role: 'system', content: 'S' }, message],
  tools: [{ type: 'function', function: { name: 'read_file', parameters: { type: 'object' } } }],
};

function withBlock(block: unknown) {
  return { ...anthropic, messages: [{ role: 'user', content: [block] }] };
}

describe('the Messages protocol', () => {
  test('a whole conversation passes unchanged, caching marks and thinking included', () => {
    const whole = {
      ...anthropic,
      system: [{ type: 'text', text: 'S', cache_control: { type: 'ephemeral' } }],
      tools: [{ ...tool, cache_control: { type: 'ephemeral' } }],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [
        message,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'redacted_thinking', data: 'd' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 't1', name: 'read_file', input: { path: 'a' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', is_error: false, content: 'text' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' }, title: 'T' },
            { type: 'text', text: 'Go on', cache_control: { type: 'ephemeral' } },
          ],
        },
      ],
    };
    expect(AnthropicRequest.parse(whole)).toEqual(whole);
  });

  test.each([
    ['web search', { ...anthropic, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    [
      'web fetch',
      { ...anthropic, tools: [{ type: 'web_fetch_20250910', name: 'web_fetch', input_schema: {} }] },
    ],
    [
      'code execution',
      { ...anthropic, tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    ],
    ['an MCP connector', { ...anthropic, mcp_servers: [{ type: 'url', url: 'https://evil.example' }] }],
    ['a container', { ...anthropic, container: 'c' }],
    [
      'an image by address',
      withBlock({ type: 'image', source: { type: 'url', url: 'https://evil.example/?q=secret' } }),
    ],
    [
      'an address beside inline bytes',
      withBlock({
        type: 'image',
        source: { type: 'base64', media_type: 'i', data: '', url: 'https://evil.example' },
      }),
    ],
    [
      'a document by address',
      withBlock({ type: 'document', source: { type: 'url', url: 'https://evil.example' } }),
    ],
    ['an uploaded file', withBlock({ type: 'document', source: { type: 'file', file_id: 'f' } })],
    [
      'an image by address in a tool result',
      withBlock({
        type: 'tool_result',
        tool_use_id: 't',
        content: [{ type: 'image', source: { type: 'url', url: 'https://evil.example' } }],
      }),
    ],
    ['a block nobody knows', withBlock({ type: 'server_tool_use', id: 's', name: 'web_search', input: {} })],
    ['a field nobody knows', { ...anthropic, webhooks: 'https://evil.example' }],
    ['no limit of tokens', { ...anthropic, max_tokens: undefined }],
  ])('%s does not pass', (_, body) => {
    expect(AnthropicRequest.safeParse(body).success).toBe(false);
  });
});

describe('the Chat Completions protocol', () => {
  test('a whole conversation passes unchanged', () => {
    const whole = {
      ...openai,
      messages: [
        ...openai.messages,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'read_file', arguments: '{}' } }],
          reasoning_content: 'Hm.',
        },
        { role: 'tool', tool_call_id: 'c', content: 'text' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] },
      ],
      reasoning_effort: 'low',
    };
    expect(OpenaiRequest.parse(whole)).toEqual(whole);
  });

  test.each([
    ['web search', { ...openai, web_search_options: {} }],
    ['OpenRouter plugins', { ...openai, plugins: [{ id: 'web' }] }],
    ['a tool of the provider', { ...openai, tools: [{ type: 'web_search' }] }],
    ['storing the conversation', { ...openai, store: true }],
    ['many answers', { ...openai, n: 100 }],
    [
      'an image by address',
      {
        ...openai,
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://evil.example/?q=secret' } }],
          },
        ],
      },
    ],
    [
      'a file',
      { ...openai, messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
    ],
    ['a role nobody knows', { ...openai, messages: [{ role: 'root', content: 'x' }] }],
  ])('%s does not pass', (_, body) => {
    expect(OpenaiRequest.safeParse(body).success).toBe(false);
  });
});
