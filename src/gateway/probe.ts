import type { ModelSettings } from '../protocol/model.ts';
import { invalidAnswer, problemOfAnswer } from './answerProblem.ts';
import { bodyOf, textOf } from './body.ts';
import { problemOfFailure } from './failureProblem.ts';
import type { ModelBackend } from './gateway.ts';
import { listModels } from './listModels.ts';
import { findingIn } from './meter.ts';
import { modelBackend } from './modelBackend.ts';
import { type Problem, problemOf, ProblemError } from './problem.ts';
import { readProviderError } from './providerError.ts';
import { serverSentEvents } from './sse.ts';

/** Milliseconds that a first word may take; a local model may have to be loaded. */
const patience = 120_000;

/** What is asked of a provider before the user relies on it. */
export const probe = {
  /** Names of the endpoint's models, newest first; empty when it does not say. Rejects only when the signal aborts. */
  listModels,

  /**
   * One tiny real request, with a tool as the agent's have. Undefined when the model began to answer, else what is
   * wrong. Rejects only with the signal's reason.
   *
   * @param key absent or empty where there is none
   */
  async test(
    settings: ModelSettings,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<Problem | undefined> {
    const { provider } = settings;
    if (provider === 'demo' || provider === 'vscode') return undefined;
    const late = AbortSignal.timeout(patience);
    try {
      const backend = modelBackend({ ...settings, provider }, async () => key ?? '');
      return await firstWord(backend, AbortSignal.any([signal, late]));
    } catch (error) {
      signal.throwIfAborted();
      return late.aborted ? problemOfFailure(settings.model, late.reason) : problemOf(error);
    }
  },
};

async function firstWord(backend: ModelBackend, signal: AbortSignal): Promise<Problem | undefined> {
  const { wire, name } = backend;
  const stop = new AbortController();
  try {
    const answer = await backend.respond(
      { ...tinyRequests[wire], headers: {} },
      AbortSignal.any([signal, stop.signal]),
    );
    if (!answer.ok)
      return problemOfAnswer(name, answer.status, readProviderError(await textOf(answer, 100_000)));
    if (/json|html/i.test(answer.headers.get('content-type') ?? '')) return invalidAnswer(name);
    for await (const { data } of serverSentEvents(bodyOf(answer))) {
      const finding = findingIn(wire, data);
      if (finding?.kind === 'nothing') continue;
      if (finding?.kind === 'error') return problemOfAnswer(name, 0, finding.error);
      return finding === undefined ? invalidAnswer(name) : undefined;
    }
    return invalidAnswer(name);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ProblemError ? error : new ProblemError(problemOfFailure(name, error));
  } finally {
    // One word is enough; the rest is neither waited for nor paid.
    stop.abort();
  }
}

const question = [{ role: 'user', content: 'Say ok.' }];
const nothing = { type: 'object', properties: {} };

const tinyRequests = {
  anthropic: {
    path: '/v1/messages',
    body: {
      model: '',
      max_tokens: 16,
      stream: true,
      messages: question,
      tools: [{ name: 'nothing', description: 'Does nothing.', input_schema: nothing }],
    },
  },
  openai: {
    path: '/chat/completions',
    // No limit of tokens: reasoning models fail on small ones, and the stream is left after one word anyway.
    body: {
      model: '',
      stream: true,
      messages: question,
      tools: [
        {
          type: 'function',
          function: { name: 'nothing', description: 'Does nothing.', parameters: nothing },
        },
      ],
    },
  },
};
