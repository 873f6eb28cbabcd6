import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '../protocol/model.ts';
import { invalidAnswer, problemOfAnswer } from './answerProblem.ts';
import { bodyOf, textOf } from './body.ts';
import { problemOfFailure } from './failureProblem.ts';
import { type Finding, findingIn, type Tokens } from './meter.ts';
import { type Problem, ProblemError } from './problem.ts';
import { readProviderError } from './providerError.ts';
import { serverSentEvents } from './sse.ts';
import { wireErrorEvent } from './wireError.ts';

export interface RelayOptions {
  readonly wire: Wire;
  /** Who answers, for sentences. */
  readonly name: string;
  /** Whether the agent asked for a stream. */
  readonly streamed: boolean;
  readonly onTokens: (tokens: Partial<Tokens>) => void;
  /** Something the user should know although the answer is passed on. */
  readonly onNotice: (problem: Problem) => void;
}

/** Answers beyond this, in bytes, are cut. */
const largestAnswer = 64_000_000;

/**
 * Passes a backend's answer on to the agent, event by event as it comes, and reads along. Before the first event
 * nothing is sent, so a failure until then rejects with a ProblemError and can still be answered properly; after it,
 * the problem goes to the agent inside the stream and is returned.
 */
export async function relay(
  answer: Response,
  outgoing: ServerResponse,
  options: RelayOptions,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { name, streamed } = options;
  if (!answer.ok)
    throw new ProblemError(
      problemOfAnswer(name, answer.status, readProviderError(await textOf(answer, 100_000))),
    );
  const type = answer.headers.get('content-type') ?? '';
  if (streamed && !/json|html/i.test(type)) return await relayStream(answer, outgoing, options, signal);
  const body = await textOf(answer, largestAnswer);
  const finding = findingIn(options.wire, body);
  if (finding?.kind === 'error') throw new ProblemError(problemOfAnswer(name, 0, finding.error));
  if (finding === undefined || streamed) throw new ProblemError(invalidAnswer(name));
  note(finding, options);
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(body);
  return undefined;
}

async function relayStream(
  answer: Response,
  outgoing: ServerResponse,
  options: RelayOptions,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { wire, name } = options;
  let ended = false;
  let passed = 0;
  try {
    const events = serverSentEvents(bodyOf(answer));
    for await (const { raw, data } of events) {
      const finding = findingIn(wire, data);
      if (finding === undefined || passed + raw.length > largestAnswer)
        throw new ProblemError(invalidAnswer(name));
      if (finding.kind === 'error') throw new ProblemError(problemOfAnswer(name, 0, finding.error));
      note(finding, options);
      ended ||= finding.kind === 'end' || finding.kind === 'last';
      if (passed === 0) {
        // Comments that keep the line open say nothing yet; what fails after them can still be asked again.
        if (data === '') continue;
        outgoing.writeHead(200, streamHeaders);
      }
      passed += raw.length;
      if (!outgoing.write(raw)) await once(outgoing, 'drain', { signal });
      if (finding.kind === 'last') {
        await closing(events);
        // Ended before the loop is left: leaving waits for the body, and only the end of this answer aborts that.
        outgoing.end();
        return undefined;
      }
    }
    if (!ended) throw new ProblemError(problemOfFailure(name, new Error('terminated')));
    outgoing.end();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const problem = streamProblem(name, error);
    if (passed === 0) throw new ProblemError(problem);
    outgoing.end(wireErrorEvent(wire, problem));
    return problem;
  }
}

const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' };

/** Most services end the body right after the last event, and then the connection is kept; some never do. */
async function closing(events: AsyncGenerator): Promise<void> {
  await Promise.race([events.next().catch(() => {}), sleep(250, undefined, { ref: false })]);
}

function note(finding: Finding, { name, onTokens, onNotice }: RelayOptions): void {
  if (finding.kind === 'tokens' || finding.kind === 'end') onTokens(finding.tokens);
  if (finding.kind !== 'end') return;
  const type = {
    content_filter: 'content_filter',
    refusal: 'content_filter',
    model_context_window_exceeded: 'context_length_exceeded',
  }[finding.ended];
  if (type !== undefined) onNotice(problemOfAnswer(name, 0, { types: [type], message: '' }));
}

function streamProblem(name: string, error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return error instanceof RangeError ? invalidAnswer(name) : problemOfFailure(name, error);
}
