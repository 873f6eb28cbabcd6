import type { Problem } from './problem.ts';
import { providerDetail, type ProviderError } from './providerError.ts';

/** One way in which providers refuse, as seen in their answers. The first rule that fits counts. */
export interface AnswerRule {
  readonly code: string;
  /** Any of these HTTP statuses fits by itself. */
  readonly statuses?: readonly number[];
  /** So does any of these in the error's `type` or `code`. */
  readonly types?: readonly string[];
  /** So do these words in the error's message, but only under one of `wordsUnder` (every status, when absent). */
  readonly words?: RegExp;
  readonly wordsUnder?: readonly number[];
  /** The status for the agent's SDK, where the provider's own would mislead it or is missing. */
  readonly status: number;
  readonly passes: boolean;
  readonly message: (name: string) => string;
  readonly remedy: string;
}

/**
 * The problem behind an answer that is an error. `status` is 0 for an error that came inside a stream that had begun
 * well.
 */
export function problemOfAnswer(name: string, status: number, error: ProviderError): Problem {
  const rule = answerRules.find(rule => fits(rule, status, error)) ?? unexpected;
  return {
    code: rule.code,
    message: `${rule.message(name)}${providerDetail(status, error)}`,
    remedy: rule.remedy,
    // 4xx and 5xx are the provider's to choose; anything else is not an error to an SDK.
    status: status >= 400 && status < 600 ? status : rule.status,
    passes: rule.passes,
  };
}

/** Neither an answer nor an error of the wire: a web page, another protocol. */
export function invalidAnswer(name: string): Problem {
  return {
    code: 'gateway.invalidAnswer',
    message: `${name} sent something that is not a model's answer.`,
    remedy: 'Check the base URL and that the service speaks this protocol, or choose another model.',
    status: 502,
    passes: false,
  };
}

function fits(rule: AnswerRule, status: number, error: ProviderError): boolean {
  if (rule.statuses?.includes(status)) return true;
  if (rule.types?.some(type => error.types.includes(type))) return true;
  if (rule.words === undefined || !rule.words.test(error.message)) return false;
  return rule.wordsUnder === undefined || rule.wordsUnder.includes(status);
}

const rateLimited = {
  code: 'gateway.rateLimited',
  status: 429,
  passes: true,
  message: (name: string) => `${name} is being asked too much at the moment (rate limit).`,
  remedy: 'Wait a little and send the message again, or choose another model.',
} satisfies AnswerRule;

/** Specific before general: a 429 may mean "no credit", a 404 "this model cannot use tools". */
export const answerRules: readonly AnswerRule[] = [
  // Gemini calls a limit per minute a quota too; whoever names the seconds means a limit that passes.
  { ...rateLimited, words: /(try again|retry) (in|after) [\d.]+ ?(ms|s)/i, wordsUnder: [429] },
  {
    code: 'gateway.noCredit',
    statuses: [402],
    types: ['insufficient_quota', 'billing_error', 'billing_not_active', 'insufficient_credits'],
    words:
      /credit balance is too low|exceeded your current quota|insufficient (credit|balance|quota|funds)|quota (was |is |has been )?(exceeded|exhausted)|billing/i,
    wordsUnder: [0, 400, 403, 429],
    status: 402,
    passes: false,
    message: name => `${name} has no credit or quota left for this key.`,
    remedy: 'Add credit or raise the limit at the provider, or choose another model.',
  },
  {
    code: 'gateway.contentFiltered',
    types: ['content_filter', 'content_policy_violation', 'moderation_blocked'],
    words: /content (management |filtering |usage )?policy|content filter|flagged|moderation/i,
    wordsUnder: [0, 400, 403],
    status: 400,
    passes: false,
    message: name => `${name} refused this request because of its content rules.`,
    remedy: 'Word the task differently, leave out the text that it objects to, or choose another model.',
  },
  {
    code: 'gateway.wrongKey',
    statuses: [401],
    types: ['authentication_error', 'invalid_api_key', 'invalid_authentication'],
    words: /(invalid|incorrect|missing|expired) (api|x-api)[- ]?key|api key not valid/i,
    status: 401,
    passes: false,
    message: name => `${name} did not accept the key.`,
    remedy:
      'Choose the model again and type the key anew; check that it belongs to this provider and is not revoked.',
  },
  {
    code: 'gateway.notAllowed',
    statuses: [403],
    types: ['permission_error', 'permission_denied', 'unsupported_country_region_territory'],
    status: 403,
    passes: false,
    message: name => `${name} does not let this key do that.`,
    remedy: 'Check at the provider what the key may use (models, region, project), or choose another model.',
  },
  {
    code: 'gateway.noTools',
    words:
      /(not|n't) support (the use of )?(tools?\b|tool[ _-]use|function)|no endpoints found that support tool/i,
    wordsUnder: [0, 400, 404, 422, 500],
    status: 400,
    passes: false,
    message: () => 'This model cannot use tools, and an agent cannot work without them.',
    remedy: 'Choose a model that supports tool use.',
  },
  {
    code: 'gateway.contextTooLong',
    statuses: [413],
    types: [
      'context_length_exceeded',
      'exceed_context_size_error',
      'request_too_large',
      'string_above_max_length',
    ],
    words:
      /(prompt|input|request) is too (long|large)|context (length|window|size)|too many (input )?tokens|maximum (context|number of tokens)|exceeds? the (available )?context/i,
    wordsUnder: [0, 400, 422, 500],
    status: 400,
    passes: false,
    message: () => 'The conversation is longer than this model can read.',
    remedy:
      'Start a new conversation, or choose a model with a larger context (or a smaller cordon.agent.contextTokens).',
  },
  {
    code: 'gateway.noModel',
    types: ['model_not_found', 'model_not_available', 'model_not_supported'],
    words:
      /^model: |model\b.{0,200}\b(not found|not exist|not available|does(n't| not) exist|no longer available|deprecated)|(not a valid|invalid|unknown|no such) model|no endpoints found/i,
    wordsUnder: [0, 400, 404, 410, 422],
    status: 404,
    passes: false,
    message: name => `${name} knows no model of that name, or this key may not use it.`,
    remedy: 'Choose another model; names are exact. For Ollama, pull the model first.',
  },
  {
    code: 'gateway.noEndpoint',
    statuses: [404, 405, 410, 421],
    status: 404,
    passes: false,
    message: name => `${name} has no model service at this address.`,
    remedy: 'Check the base URL: for OpenAI-compatible services it usually ends in /v1.',
  },
  {
    ...rateLimited,
    statuses: [429],
    types: ['rate_limit_error', 'rate_limit_exceeded', 'too_many_requests'],
  },
  {
    code: 'gateway.overloaded',
    statuses: [529, 503, 502],
    types: ['overloaded_error', 'service_unavailable', 'engine_overloaded'],
    words: /overloaded|at capacity|temporarily unavailable|loading model/i,
    status: 529,
    passes: true,
    message: name => `${name} is overloaded or down at the moment.`,
    remedy: 'Wait a little and send the message again, or choose another model.',
  },
  {
    code: 'gateway.timedOut',
    statuses: [408, 504, 522, 524],
    types: ['timeout_error', 'timeout'],
    status: 408,
    passes: true,
    message: name => `${name} took too long to answer.`,
    remedy: 'Send the message again, or choose a faster model.',
  },
  {
    code: 'gateway.providerFailed',
    statuses: [500, 409, 520, 521, 523],
    types: ['api_error', 'server_error', 'internal_server_error', 'internal_error'],
    status: 500,
    passes: true,
    message: name => `${name} failed while answering.`,
    remedy:
      'Send the message again; if it keeps failing, look at the provider’s status page or choose another model.',
  },
  {
    code: 'gateway.refusedRequest',
    statuses: [400, 422],
    types: ['invalid_request_error', 'bad_request'],
    status: 400,
    passes: false,
    message: name => `${name} does not understand this request.`,
    remedy:
      'Choose another model: this one may lack something that the agent needs. Starting a new conversation may help.',
  },
];

const unexpected: AnswerRule = {
  code: 'gateway.unexpectedAnswer',
  status: 502,
  passes: false,
  message: name => `${name} gave an answer that Cordon does not understand.`,
  remedy: 'Check the base URL and that the service speaks this protocol, or choose another model.',
};
