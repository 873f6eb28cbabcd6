import { expect, test } from 'vitest';
import { anthropicBase, below, openaiBase, refuseKeyInTheClear } from '../../../src/gateway/baseUrl.ts';

test.each([
  [undefined, 'https://api.anthropic.com/v1/messages'],
  ['https://api.anthropic.com/', 'https://api.anthropic.com/v1/messages'],
  ['https://api.anthropic.com/v1', 'https://api.anthropic.com/v1/messages'],
  ['https://proxy.example/anthropic/v1/', 'https://proxy.example/anthropic/v1/messages'],
  ['http://127.0.0.1:4010', 'http://127.0.0.1:4010/v1/messages'],
])('Anthropic at %s is asked at %s', (base, asked) => {
  expect(below(anthropicBase(base), '/v1/messages')).toBe(asked);
});

test.each([
  [undefined, 'https://api.openai.com/v1/chat/completions'],
  ['https://openrouter.ai/api/v1/', 'https://openrouter.ai/api/v1/chat/completions'],
  ['http://localhost:11434', 'http://localhost:11434/v1/chat/completions'],
  ['http://localhost:8080/v1/chat/completions', 'http://localhost:8080/v1/chat/completions'],
  ['https://gemini.example/v1beta/openai', 'https://gemini.example/v1beta/openai/chat/completions'],
])('OpenAI-compatible at %s is asked at %s', (base, asked) => {
  expect(below(openaiBase(base), '/chat/completions')).toBe(asked);
});

test.each([
  'ftp://example.com',
  'https://user:pw@example.com',
  'https://example.com/?key=1',
  'https://example.com/#x',
  'file:///etc',
  'nonsense',
])('%s is not taken, and the message does not repeat it', base => {
  expect(() => openaiBase(base)).toThrow(expect.objectContaining({ code: 'gateway.badBaseUrl' }));
  expect(() => anthropicBase(base)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('pw') }),
  );
});

test.each([
  'https://example.com',
  'http://localhost:1234',
  'http://127.0.0.1',
  'http://[::1]:8080',
  'http://192.168.1.20:8000',
  'http://10.0.0.5',
  'http://[fd00::1]',
])('a key may go to %s', base => {
  expect(() => refuseKeyInTheClear(new URL(base))).not.toThrow();
});

test.each([
  'http://example.com',
  'http://8.8.8.8',
  'http://169.254.169.254',
  'http://localhost.example.com',
  'http://169.254.169.254.example.com',
  'http://[2001:4860::1]',
  'http://0x08080808',
])('a key does not go to %s unencrypted', base => {
  expect(() => refuseKeyInTheClear(new URL(base))).toThrow(
    expect.objectContaining({ code: 'gateway.badBaseUrl' }),
  );
});
