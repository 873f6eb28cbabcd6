import { describe, expect, test } from 'vitest';
import { answerRules, problemOfAnswer } from '../../../src/gateway/answerProblem.ts';
import { readProviderError } from '../../../src/gateway/providerError.ts';

// Error answers as providers send them, and what the user is told. `passes`: asked again by itself.

type Row = readonly [what: string, status: number, body: unknown, code: string, passes: boolean];

const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } });
const openai = (type: string, message: string, code: string | null = null) => ({
  error: { message, type, param: null, code },
});

const rows: readonly Row[] = [
  ['Anthropic, wrong key', 401, anthropic('authentication_error', 'invalid x-api-key'), 'wrongKey', false],
  [
    'Anthropic, no credit',
    400,
    anthropic(
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ),
    'noCredit',
    false,
  ],
  ['Anthropic, billing', 402, anthropic('billing_error', 'Payment required'), 'noCredit', false],
  [
    'Anthropic, not permitted',
    403,
    anthropic('permission_error', 'Your API key does not have permission to use the specified resource.'),
    'notAllowed',
    false,
  ],
  ['Anthropic, no such model', 404, anthropic('not_found_error', 'model: claude-none'), 'noModel', false],
  [
    'Anthropic, rate limit',
    429,
    anthropic('rate_limit_error', 'This request would exceed your organization’s rate limit.'),
    'rateLimited',
    true,
  ],
  ['Anthropic, overloaded', 529, anthropic('overloaded_error', 'Overloaded'), 'overloaded', true],
  [
    'Anthropic, overloaded inside a stream',
    0,
    anthropic('overloaded_error', 'Overloaded'),
    'overloaded',
    true,
  ],
  ['Anthropic, internal error', 500, anthropic('api_error', 'Internal server error'), 'providerFailed', true],
  [
    'Anthropic, internal error inside a stream',
    0,
    anthropic('api_error', 'Internal server error'),
    'providerFailed',
    true,
  ],
  ['Anthropic, timeout', 504, anthropic('timeout_error', 'Request timed out'), 'timedOut', true],
  [
    'Anthropic, prompt too long',
    400,
    anthropic('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'),
    'contextTooLong',
    false,
  ],
  [
    'Anthropic, request too large',
    413,
    anthropic('request_too_large', 'Request exceeds the maximum size'),
    'contextTooLong',
    false,
  ],
  [
    'Anthropic, content rules',
    400,
    anthropic('invalid_request_error', 'Output blocked by content filtering policy'),
    'contentFiltered',
    false,
  ],
  [
    'Anthropic, malformed',
    400,
    anthropic('invalid_request_error', 'messages: roles must alternate'),
    'refusedRequest',
    false,
  ],
  [
    'OpenAI, wrong key',
    401,
    openai(
      'invalid_request_error',
      'Incorrect API key provided: sk-…. You can find your API key at …',
      'invalid_api_key',
    ),
    'wrongKey',
    false,
  ],
  [
    'OpenAI, country',
    403,
    openai(
      'request_forbidden',
      'Country, region, or territory not supported',
      'unsupported_country_region_territory',
    ),
    'notAllowed',
    false,
  ],
  [
    'OpenAI, quota',
    429,
    openai(
      'insufficient_quota',
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
    ),
    'noCredit',
    false,
  ],
  [
    'OpenAI, rate limit',
    429,
    openai(
      'requests',
      'Rate limit reached for gpt-5 in organization org-x on requests per min (RPM): Limit 3, Used 3.',
      'rate_limit_exceeded',
    ),
    'rateLimited',
    true,
  ],
  [
    'OpenAI, no such model',
    404,
    openai(
      'invalid_request_error',
      'The model `gpt-99` does not exist or you do not have access to it.',
      'model_not_found',
    ),
    'noModel',
    false,
  ],
  [
    'OpenAI, context',
    400,
    openai(
      'invalid_request_error',
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
      'context_length_exceeded',
    ),
    'contextTooLong',
    false,
  ],
  [
    'OpenAI, content policy',
    400,
    openai(
      'invalid_request_error',
      'Your request was rejected as a result of our safety system.',
      'content_policy_violation',
    ),
    'contentFiltered',
    false,
  ],
  [
    'OpenAI, server error',
    500,
    openai('server_error', 'The server had an error while processing your request.'),
    'providerFailed',
    true,
  ],
  [
    'OpenAI, overloaded',
    503,
    openai('server_error', 'That model is currently overloaded with other requests.'),
    'overloaded',
    true,
  ],
  [
    'Azure, content filter',
    400,
    openai(
      '',
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      'content_filter',
    ),
    'contentFiltered',
    false,
  ],
  [
    'OpenRouter, no credit',
    402,
    { error: { code: 402, message: 'Insufficient credits. Add more using https://openrouter.ai/credits' } },
    'noCredit',
    false,
  ],
  [
    'OpenRouter, moderation',
    403,
    { error: { code: 403, message: 'Input was flagged by moderation', metadata: { reasons: ['violence'] } } },
    'contentFiltered',
    false,
  ],
  [
    'OpenRouter, no such model',
    400,
    { error: { code: 400, message: 'foo/bar is not a valid model ID' } },
    'noModel',
    false,
  ],
  [
    'OpenRouter, model without tools',
    404,
    { error: { code: 404, message: 'No endpoints found that support tool use.' } },
    'noTools',
    false,
  ],
  [
    'OpenRouter, provider behind it',
    429,
    {
      error: {
        code: 429,
        message: 'Provider returned error',
        metadata: { raw: 'x is temporarily rate-limited upstream', provider_name: 'P' },
      },
    },
    'rateLimited',
    true,
  ],
  [
    'Ollama, no such model',
    404,
    {
      error: {
        message: 'model "llama9" not found, try pulling it first',
        type: 'api_error',
        param: null,
        code: null,
      },
    },
    'noModel',
    false,
  ],
  [
    'Ollama, model without tools',
    400,
    { error: { message: 'registry.ollama.ai/library/gemma:2b does not support tools', type: 'api_error' } },
    'noTools',
    false,
  ],
  ['Ollama, its own shape', 404, { error: "model 'llama9' not found" }, 'noModel', false],
  [
    'llama.cpp, loading',
    503,
    { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
    'overloaded',
    true,
  ],
  [
    'llama.cpp, context',
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size, try increasing it',
        type: 'exceed_context_size_error',
      },
    },
    'contextTooLong',
    false,
  ],
  [
    'vLLM, no such model',
    404,
    {
      object: 'error',
      message: 'The model `x` does not exist.',
      type: 'NotFoundError',
      param: null,
      code: 404,
    },
    'noModel',
    false,
  ],
  [
    'vLLM, context',
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens.",
      type: 'BadRequestError',
      code: 400,
    },
    'contextTooLong',
    false,
  ],
  [
    'Gemini, limit per minute',
    429,
    [
      {
        error: {
          code: 429,
          message: 'You exceeded your current quota, please check your plan. Please retry in 17.5s.',
          status: 'RESOURCE_EXHAUSTED',
        },
      },
    ],
    'rateLimited',
    true,
  ],
  ['a plan’s allowance', 403, { message: 'Your monthly quota is exhausted.' }, 'noCredit', false],
  [
    'Gemini, wrong key',
    400,
    [
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
    'wrongKey',
    false,
  ],
  ['FastAPI', 422, { detail: 'Unprocessable' }, 'refusedRequest', false],
  ['FastAPI, list', 422, { detail: [{ msg: 'field required' }] }, 'refusedRequest', false],
  ['a path that is none', 404, { detail: 'Not Found' }, 'noEndpoint', false],
  ['a web page', 404, '<!doctype html><html><title>Not here</title></html>', 'noEndpoint', false],
  ['a proxy', 502, '<html>Bad gateway</html>', 'overloaded', true],
  ['a proxy that wants a login', 407, 'Proxy Authentication Required', 'unexpectedAnswer', false],
  ['nothing', 500, '', 'providerFailed', true],
  ['Cloudflare', 524, 'error code: 524', 'timedOut', true],
  ['a timeout', 408, '', 'timedOut', true],
  ['a teapot', 418, '', 'unexpectedAnswer', false],
  ['not modified', 304, '', 'unexpectedAnswer', false],
  ['something unknown inside a stream', 0, { error: { message: 'whatever' } }, 'unexpectedAnswer', false],
];

test.each(rows)('%s (%d)', (_, status, body, code, passes) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const problem = problemOfAnswer('Anthropic', status, readProviderError(text));
  expect({ code: problem.code, passes: problem.passes }).toEqual({ code: `gateway.${code}`, passes });
  expect(problem.status).toBeGreaterThanOrEqual(400);
  expect(problem.status).toBeLessThan(600);
});

test('every rule has a row above, so none is dead', () => {
  const told = new Set(rows.map(([, , , code]) => `gateway.${code}`));
  expect(answerRules.map(rule => rule.code).filter(code => !told.has(code))).toEqual([]);
});

describe('what the provider says', () => {
  test('is quoted after our own sentence, with the status', () => {
    expect(
      problemOfAnswer('Anthropic', 401, readProviderError('{"error":{"message":"invalid x-api-key"}}'))
        .message,
    ).toBe('Anthropic did not accept the key. (HTTP 401; it said: “invalid x-api-key”)');
  });

  test('comes in one line, without anything invisible, and bounded', () => {
    const hostile = JSON.stringify({ error: { message: `a\u202Eb\u0007\n\n\u200Bc${'x'.repeat(10_000)}` } });
    const { message } = readProviderError(hostile);
    expect(message.slice(0, 7)).toBe('a b cxx');
    expect(message).toHaveLength(300);
  });

  test.each([
    'null',
    '[]',
    '"text"',
    '7',
    '{"error":null}',
    '{"error":[]}',
    '{"error":{"message":{"a":1}}}',
    '{',
  ])('%s harms nobody', body => {
    expect(problemOfAnswer('X', 400, readProviderError(body)).code).toBe('gateway.refusedRequest');
  });
});
