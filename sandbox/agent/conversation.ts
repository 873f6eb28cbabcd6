import type { AgentStart } from '../../src/protocol/agent.ts';
import { fitContext } from './context.ts';
import type { AssistantPart, ModelMessage, UserPart } from './model.ts';

/** What the model has been told and has said. Always a valid request: roles alternate, every call has its result. */
export class Conversation {
  #messages: readonly ModelMessage[] = [];

  constructor(history: AgentStart['history'] = []) {
    for (const { role, text } of history) {
      if (text.trim() === '') continue;
      if (role === 'user') this.addUserText(text);
      else this.addAnswer([{ kind: 'text', text }]);
    }
  }

  get messages(): readonly ModelMessage[] {
    return this.#messages;
  }

  addUserText(text: string): void {
    this.#addUser([{ kind: 'text', text }]);
  }

  /** One result for each call of the last answer. */
  addResults(results: readonly Extract<UserPart, { kind: 'toolResult' }>[]): void {
    this.#addUser(results);
  }

  /** Whether there was anything in it: an answer of nothing is not kept, for providers refuse to read it back. */
  addAnswer(parts: readonly AssistantPart[]): boolean {
    if (!parts.some(part => part.kind === 'toolCall' || (part.kind === 'text' && part.text.trim() !== '')))
      return false;
    const last = this.#messages.at(-1);
    if (last === undefined) this.addUserText('[The beginning of this conversation is missing.]');
    if (last?.role === 'assistant')
      this.#messages = [
        ...this.#messages.slice(0, -1),
        { role: 'assistant', parts: [...last.parts, ...parts] },
      ];
    else this.#messages = [...this.#messages, { role: 'assistant', parts }];
    return true;
  }

  /** Drops what is oldest when the estimate is over `budget` tokens. */
  fit(budget: number): void {
    this.#messages = fitContext(this.#messages, budget);
  }

  #addUser(parts: readonly UserPart[]): void {
    const last = this.#messages.at(-1);
    if (last?.role === 'user')
      this.#messages = [...this.#messages.slice(0, -1), { role: 'user', parts: [...last.parts, ...parts] }];
    else this.#messages = [...this.#messages, { role: 'user', parts }];
  }
}
