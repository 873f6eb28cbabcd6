import { setTimeout as sleep } from 'node:timers/promises';
import { demoLabel } from '../../protocol/model.ts';
import { anthropicAnswer, type AnswerPart } from '../anthropicAnswer.ts';
import { AnthropicRequest } from '../anthropicRequest.ts';
import type { ModelBackend } from '../gateway.ts';
import { demoAnswer } from './demoAnswer.ts';
import { type DemoAnswer, demoTurn } from './demoTurn.ts';

export interface DemoOptions {
  /** Milliseconds between words; a readable pace when absent, 0 for tests. */
  readonly pace?: number;
}

/** Milliseconds between words of the answer to "slow", whatever the pace is: it is there to be stopped. */
const slowPace = 150;

/**
 * The demonstration model: a script that decides by the request alone, served over the Anthropic wire like any model,
 * so that everything around it is real. Needs no key, no network and no account. Counts no tokens, for it uses none.
 */
export function demoBackend({ pace = 20 }: DemoOptions = {}): ModelBackend {
  return {
    wire: 'anthropic',
    name: demoLabel,
    async respond({ body }, signal) {
      const request = AnthropicRequest.parse(body);
      const answer = demoAnswer(demoTurn(request));
      return await anthropicAnswer(spoken(answer, answer.isSlow === true ? slowPace : pace, signal), {
        model: request.model,
        streamed: request.stream === true,
      });
    },
  };
}

/** Word by word, as models stream. Ends with the signal's reason when it aborts. */
async function* spoken(answer: DemoAnswer, pace: number, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  for (const word of answer.text.match(/\S*\s*/g) ?? []) {
    if (word === '') continue;
    if (pace > 0) await sleep(pace, undefined, { signal });
    signal.throwIfAborted();
    yield { kind: 'text', text: word };
  }
  for (const { name, input } of answer.calls) yield { kind: 'toolCall', name, input };
}
