import { cutMiddle } from './cutMiddle.ts';
import type { ModelMessage, UserPart } from './model.ts';

const dropped = '[This tool result was left out to make room. Run the tool again if you need it.]';
const earlier = '[Earlier parts of this conversation were left out to make room.]';

/**
 * The messages within `budget` tokens. When they are over it, room is made down to three quarters, so that it is not
 * made again at once and the provider's cache holds for a while: oldest tool results first, then oldest turns, then
 * the oldest steps of the current turn, and at last the middle of what is long. Calls and results stay paired.
 */
export function fitContext(messages: readonly ModelMessage[], budget: number): readonly ModelMessage[] {
  if (tokensOf(messages) <= budget) return messages;
  const target = Math.floor(budget * 0.75);
  const steps = [withoutOldResults, withoutOldTurns, withoutOldSteps, withShortTexts];
  return steps.reduce(
    (fitted, step) => (tokensOf(fitted) <= target ? fitted : step(fitted, target)),
    messages,
  );
}

/** An estimate on the high side: three and a half bytes a token. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3.5);
}

export function tokensOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + tokensOfOne(message), 0);
}

function tokensOfOne(message: ModelMessage): number {
  let tokens = 4;
  for (const part of message.parts) {
    if (part.kind === 'thinking') tokens += Math.ceil(part.size / 3.5);
    else if (part.kind === 'toolCall') tokens += 8 + estimateTokens(part.name) + estimateTokens(part.json);
    else tokens += 4 + estimateTokens(part.text);
  }
  return tokens;
}

/** Never the results of the last step: the model has not seen them yet. */
function withoutOldResults(messages: readonly ModelMessage[], target: number): readonly ModelMessage[] {
  let excess = tokensOf(messages) - target;
  return messages.map((message, index) => {
    if (message.role !== 'user' || index === messages.length - 1) return message;
    const parts = message.parts.map((part): UserPart => {
      if (excess <= 0 || part.kind !== 'toolResult' || part.text.length <= dropped.length) return part;
      excess -= estimateTokens(part.text) - estimateTokens(dropped);
      return { ...part, text: dropped };
    });
    return { ...message, parts };
  });
}

function withoutOldTurns(messages: readonly ModelMessage[], target: number): readonly ModelMessage[] {
  const starts = messages.flatMap((message, index) => (index > 0 && startsTurn(message) ? [index] : []));
  let fitted = messages;
  for (const start of starts) {
    if (tokensOf(fitted) <= target) break;
    fitted = withNote(messages.slice(start));
  }
  return fitted;
}

/** A user message with words of the user's; others only carry results. */
function startsTurn(message: ModelMessage): boolean {
  return message.role === 'user' && message.parts.some(part => part.kind === 'text');
}

/** The first message loses results whose calls are gone, and says that something is missing. */
function withNote([first, ...rest]: readonly ModelMessage[]): readonly ModelMessage[] {
  if (first?.role !== 'user') return rest;
  const words = first.parts.filter(part => part.kind === 'text' && part.text !== earlier);
  return [{ role: 'user', parts: [{ kind: 'text', text: earlier }, ...words] }, ...rest];
}

/** Within the last turn: pairs of an answer and its results, from the oldest, but for the last pair. */
function withoutOldSteps(messages: readonly ModelMessage[], target: number): readonly ModelMessage[] {
  let fitted = messages;
  while (tokensOf(fitted) > target && fitted.length > 3 && !startsTurn(fitted[2] as ModelMessage)) {
    fitted = withNote([fitted[0] as ModelMessage, ...fitted.slice(3)]);
  }
  return fitted;
}

function withShortTexts(messages: readonly ModelMessage[], target: number): readonly ModelMessage[] {
  let fitted = messages;
  for (let max = 32_000; max >= 1_000 && tokensOf(fitted) > target; max /= 2) {
    fitted = messages.map(message =>
      message.role === 'assistant'
        ? message
        : { ...message, parts: message.parts.map(part => ({ ...part, text: cutMiddle(part.text, max) })) },
    );
  }
  return fitted;
}
