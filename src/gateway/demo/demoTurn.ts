import type { AnthropicRequest } from '../anthropicRequest.ts';

/** What the script knows when it decides: the user's last words and what was done since. */
export interface DemoTurn {
  readonly prompt: string;
  /** Tool calls since the prompt, in order. */
  readonly steps: readonly DemoStep[];
  /** Names of the tools that the agent offers. */
  readonly tools: readonly string[];
}

export interface DemoStep {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** As the agent reported it; empty while there is none. */
  readonly result: string;
  readonly ok: boolean;
  /** Which answer of the script's it belongs to, from 0: calls of one answer run side by side. */
  readonly round: number;
}

/** What the script says and does next. No calls: the turn is over. */
export interface DemoAnswer {
  readonly text: string;
  readonly calls: readonly DemoCall[];
  readonly isSlow?: boolean;
}

export interface DemoCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Reads the conversation: a turn begins with the last user message that holds words of the user's. */
export function demoTurn(request: AnthropicRequest): DemoTurn {
  const messages = request.messages.map(({ role, content }) => ({ role, blocks: blocksOf(content) }));
  const start = messages.findLastIndex(
    ({ role, blocks }) => role === 'user' && wordsOf(blocks) !== undefined,
  );
  const since = messages.slice(start + 1);
  const results = new Map<string, { text: string; ok: boolean }>();
  for (const block of since.flatMap(message => message.blocks)) {
    if (block.type === 'tool_result')
      results.set(block.tool_use_id, { text: textOf(block.content), ok: block.is_error !== true });
  }
  const rounds = since.filter(message => message.role === 'assistant');
  const steps = rounds.flatMap(({ blocks }, round) =>
    blocks.flatMap((block): DemoStep[] => {
      if (block.type !== 'tool_use') return [];
      const { text, ok } = results.get(block.id) ?? { text: '', ok: false };
      return [{ name: block.name, input: block.input, result: text, ok, round }];
    }),
  );
  const tools = (request.tools ?? []).map(tool => tool.name);
  return { prompt: wordsOf(messages[start]?.blocks ?? []) ?? '', steps, tools };
}

/** Tool output inside the agent's quotation marks, or the whole text when there are none. */
export function quotedData(result: string): string {
  return /<data id="([^"]+)"[^>]*>\n([\s\S]*?)\n?<\/data id="\1">/.exec(result)?.[2] ?? result;
}

/** What a file holds, from the agent's numbered lines. */
export function fileText(result: string): string {
  return quotedData(result).replace(/^\d+\t/gm, '');
}

type Content = AnthropicRequest['messages'][number]['content'];
type Blocks = Exclude<Content, string>;

function blocksOf(content: Content): Blocks {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The last text block: what comes before it is context that the agent adds. */
function wordsOf(blocks: Blocks): string | undefined {
  return blocks.findLast(block => block.type === 'text')?.text.trim();
}

function textOf(content: Extract<Blocks[number], { type: 'tool_result' }>['content']): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  return content.map(part => (part.type === 'text' ? part.text : '')).join('\n');
}
