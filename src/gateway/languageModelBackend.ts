import { AnthropicRequest } from './anthropicRequest.ts';
import { anthropicAnswer, type AnswerPart } from './anthropicAnswer.ts';
import type { ModelBackend } from './gateway.ts';
import { type Problem, ProblemError } from './problem.ts';
import { readProviderError } from './providerError.ts';
import { problemOfAnswer } from './answerProblem.ts';

/** A language model that speaks no wire protocol; the host adapts VS Code's own models to this. */
export interface LanguageModel {
  /** For sentences to the user: `GPT-4.1 (Copilot)`. */
  readonly name: string;
  /**
   * Streams one answer. Rejections and throws are explained to the user; an error's `code` of `NoPermissions`,
   * `NotFound` or `Blocked` is understood. Ends early when the signal aborts.
   */
  respond(request: LanguageModelRequest, signal: AbortSignal): AsyncIterable<AnswerPart>;
  /** Tokens of a text, if the model can tell. */
  countTokens?(text: string): Promise<number>;
}

export type LanguageModelPart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'toolCall';
      readonly callId: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'toolResult'; readonly callId: string; readonly text: string };

export interface LanguageModelMessage {
  readonly role: 'user' | 'assistant';
  readonly parts: readonly LanguageModelPart[];
}

export interface LanguageModelRequest {
  /** The system prompt is the beginning of the first user message: VS Code's models have no role for it. */
  readonly messages: readonly LanguageModelMessage[];
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    /** JSON Schema of an object. */
    readonly inputSchema: Readonly<Record<string, unknown>>;
  }[];
}

/** Serves such a model over the Anthropic Messages protocol. Images and thinking are left out: it knows neither. */
export function languageModelBackend(model: LanguageModel): ModelBackend {
  return {
    wire: 'anthropic',
    name: model.name,
    async respond({ body }, signal) {
      const request = AnthropicRequest.parse(body);
      const asked = languageModelRequest(request);
      const counter = new Counter(model, JSON.stringify(asked));
      return await anthropicAnswer(counter.reading(explained(model, asked, signal)), {
        model: request.model,
        streamed: request.stream === true,
        countTokens: () => counter.count(),
      });
    },
  };
}

/** The same conversation without what only the wire protocol knows. */
function languageModelRequest(request: AnthropicRequest): LanguageModelRequest {
  const system =
    typeof request.system === 'string'
      ? request.system
      : (request.system ?? []).map(block => block.text).join('\n\n');
  const messages = request.messages.map(({ role, content }): LanguageModelMessage => {
    const blocks = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
    return { role: role === 'assistant' ? role : 'user', parts: blocks.flatMap(block => partsOf(block)) };
  });
  const instructions: LanguageModelMessage[] =
    system === '' ? [] : [{ role: 'user', parts: [{ kind: 'text', text: system }] }];
  return {
    messages: joined([...instructions, ...messages.filter(message => message.parts.length > 0)]),
    tools: (request.tools ?? []).map(tool => ({
      name: tool.name,
      description: typeof tool['description'] === 'string' ? tool['description'] : '',
      inputSchema: tool.input_schema,
    })),
  };
}

type Block = Exclude<AnthropicRequest['messages'][number]['content'], string>[number];

function partsOf(block: Block): LanguageModelPart[] {
  switch (block.type) {
    case 'text':
      return [{ kind: 'text', text: block.text }];
    case 'tool_use':
      return [{ kind: 'toolCall', callId: block.id, name: block.name, input: block.input }];
    case 'tool_result':
      return [{ kind: 'toolResult', callId: block.tool_use_id, text: resultText(block.content) }];
    case 'image':
    case 'document':
      return [{ kind: 'text', text: '[An attachment was left out: this model takes text only.]' }];
    case 'thinking':
    case 'redacted_thinking':
      return [];
  }
}

function resultText(content: Extract<Block, { type: 'tool_result' }>['content']): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  return content.map(part => (part.type === 'text' ? part.text : '[attachment left out]')).join('\n');
}

/** Roles alternate: two messages of one side become one. */
function joined(messages: readonly LanguageModelMessage[]): LanguageModelMessage[] {
  const result: LanguageModelMessage[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    if (last?.role === message.role)
      result[result.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    else result.push(message);
  }
  return result;
}

/** Counts question and answer, this while it passes by. Models that cannot count give zeros: nobody counted. */
class Counter {
  readonly #model: LanguageModel;
  readonly #question: Promise<number>;
  #answer = '';

  constructor(model: LanguageModel, question: string) {
    this.#model = model;
    // Meanwhile the model answers.
    this.#question = this.#tokensOf(question);
  }

  async *reading(parts: AsyncIterable<AnswerPart>): AsyncGenerator<AnswerPart> {
    for await (const part of parts) {
      this.#answer += part.kind === 'text' ? part.text : part.name + JSON.stringify(part.input);
      yield part;
    }
  }

  async count(): Promise<{ input_tokens: number; output_tokens: number }> {
    return { input_tokens: await this.#question, output_tokens: await this.#tokensOf(this.#answer) };
  }

  async #tokensOf(text: string): Promise<number> {
    try {
      return Math.max(0, Math.round((await this.#model.countTokens?.(text)) ?? 0));
    } catch {
      return 0;
    }
  }
}

async function* explained(
  model: LanguageModel,
  request: LanguageModelRequest,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart> {
  try {
    yield* model.respond(request, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ProblemError ? error : new ProblemError(problemOfLanguageModel(model.name, error));
  }
}

/** The problem behind an error of VS Code's language models, whose kind is in `code`. */
function problemOfLanguageModel(name: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = languageModelProblems[code];
  if (known !== undefined) return { ...known, passes: false, message: known.message(name) };
  const message = error instanceof Error ? error.message : '';
  const problem = problemOfAnswer(name, 0, readProviderError(message));
  // The wire's last resort speaks of base URLs, which there are none of here.
  return problem.code !== 'gateway.unexpectedAnswer' ? problem : { ...problem, ...failed(name) };
}

const languageModelProblems: Readonly<
  Record<string, { code: string; status: number; remedy: string; message: (name: string) => string }>
> = {
  NoPermissions: {
    code: 'gateway.notAllowed',
    status: 403,
    message: name => `VS Code does not let Cordon use ${name}.`,
    remedy: 'Allow it when VS Code asks, or under “Manage Language Model Access” in the accounts menu.',
  },
  NotFound: {
    code: 'gateway.noModel',
    status: 404,
    message: name => `VS Code has no model ${name} any more.`,
    remedy: 'Sign in to the extension that provides it, or choose another model.',
  },
  Blocked: {
    code: 'gateway.contentFiltered',
    status: 400,
    message: name => `${name} refused this request (blocked by its content rules or by your quota).`,
    remedy: 'Word the task differently, check the quota of your plan, or choose another model.',
  },
};

function failed(name: string): { code: string; message: string; remedy: string } {
  return {
    code: 'gateway.providerFailed',
    message: `${name} failed while answering.`,
    remedy: 'Send the message again, or choose another model.',
  };
}
