import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Wire } from '../protocol/model.ts';
import { AnthropicRequest } from './anthropicRequest.ts';
import type { ModelRequest } from './gateway.ts';
import { OpenaiRequest } from './openaiRequest.ts';
import { type Problem, ProblemError } from './problem.ts';

/** Larger requests are refused, in bytes. */
const largestRequest = 20_000_000;

/** The one path that each wire has, and the provider's path behind it. */
const paths: Readonly<Record<Wire, { served: string; upstream: string }>> = {
  anthropic: { served: '/v1/messages', upstream: '/v1/messages' },
  openai: { served: '/v1/chat/completions', upstream: '/chat/completions' },
};

/**
 * Checks a request from the sandbox and reads its body. Throws a ProblemError on the first thing that is not as it
 * should be: token, path, method, size, JSON, content, in this order, so that nobody without the token learns more.
 */
export async function readRequest(
  incoming: IncomingMessage,
  wire: Wire,
  token: string,
): Promise<ModelRequest> {
  if (!isBearer(incoming.headers.authorization, token))
    throw refused('gateway.wrongToken', 401, 'The token is not valid.');
  const path = new URL(incoming.url ?? '/', 'http://gateway').pathname;
  if (path !== paths[wire].served) {
    throw refused('gateway.unknownPath', 404, `Only ${paths[wire].served} is served here.`);
  }
  if (incoming.method !== 'POST') throw refused('gateway.unknownMethod', 405, 'Only POST is served here.');
  const body = parseBody(await readBody(incoming), wire);
  return { path: paths[wire].upstream, body, headers: protocolHeaders(incoming) };
}

/** How often this very request was sent before, as both SDKs say; 0 when nothing is said. */
export function attemptOf(incoming: IncomingMessage): number {
  const value = incoming.headers['x-stainless-retry-count'];
  return typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : 0;
}

function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer (\S+)$/i.exec(header ?? '')?.[1] ?? '';
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

/** Versions and betas only, and only in the form that they have. */
function protocolHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ['anthropic-version', 'anthropic-beta']) {
    const value = incoming.headers[name];
    if (typeof value === 'string' && /^[a-z0-9_., -]{1,500}$/.test(value)) headers[name] = value;
  }
  return headers;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is too large is read on and thrown away, so that the sender gets to read the answer; but not for ever.
    if (size > 5 * largestRequest) break;
    if (size <= largestRequest) chunks.push(chunk);
  }
  if (size > largestRequest) {
    throw refused('gateway.tooLarge', 413, `The request is larger than ${largestRequest / 1_000_000} MB.`);
  }
  return Buffer.concat(chunks);
}

function parseBody(bytes: Buffer, wire: Wire): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw refused('gateway.invalidRequest', 400, 'The request is not JSON.');
  }
  const parsed = (wire === 'anthropic' ? AnthropicRequest : OpenaiRequest).safeParse(value);
  // What was checked is what is sent on, not what came.
  if (parsed.success) return parsed.data;
  throw refused(
    'gateway.invalidRequest',
    400,
    `The request is not one that Cordon passes on: ${firstIssue(parsed.error)}.`,
  );
}

function firstIssue(error: z.ZodError): string {
  const issue = deepest(error.issues[0]);
  if (issue === undefined) return 'it does not fit';
  const path = issue.path.map(String).join('.');
  return `${path === '' ? '' : `${path}: `}${issue.message}`.slice(0, 300);
}

/** Of a union, the alternative that came furthest says what is really wrong. */
function deepest(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors.map(errors => deepest(errors[0])).filter(found => found !== undefined);
  const furthest = inner.sort((a, b) => b.path.length - a.path.length)[0];
  return furthest === undefined || furthest.path.length === 0
    ? issue
    : { ...furthest, path: [...issue.path, ...furthest.path] };
}

function refused(code: string, status: number, message: string): ProblemError {
  return new ProblemError({
    code,
    status,
    message,
    remedy: remedies[code] ?? defaultRemedy,
    passes: false,
  } satisfies Problem);
}

const defaultRemedy = 'This is a defect of the agent’s; starting a new conversation may help.';
const remedies: Readonly<Record<string, string>> = {
  'gateway.tooLarge': 'Start a new conversation, or leave large files and images out.',
  'gateway.wrongToken': 'The session is over or belongs to somebody else; start a new one.',
};
