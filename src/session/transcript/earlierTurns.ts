import type { AgentStart } from '../../protocol/agent.ts';
import type { ToolCallItem, TranscriptItem } from '../../protocol/transcript.ts';

/**
 * A conversation as a fresh agent needs to know it: who said what, oldest first, user and assistant in turn, and one
 * line for each thing that was done. Bounded to `maxLength` UTF-16 units; what is older is left out.
 */
export function earlierTurns(items: readonly TranscriptItem[], maxLength: number): AgentStart['history'] {
  const turns: { user: string[]; assistant: string[] }[] = [];
  for (const item of items) {
    if (item.kind === 'user') turns.push({ user: [item.text], assistant: [] });
    const line = lineOf(item);
    if (line !== undefined) turns.at(-1)?.assistant.push(line);
  }
  const kept: AgentStart['history'] = [];
  let length = 0;
  for (const { user, assistant } of turns.toReversed()) {
    const pair = [
      { role: 'user' as const, text: user.join('\n\n') },
      { role: 'assistant' as const, text: assistant.join('\n\n') || '(There was no answer.)' },
    ];
    length += pair.reduce((sum, { text }) => sum + text.length, 0);
    if (length > maxLength) break;
    kept.unshift(...pair);
  }
  return kept;
}

function lineOf(item: TranscriptItem): string | undefined {
  switch (item.kind) {
    case 'assistant':
      return item.text.trim() === '' ? undefined : item.text + (item.state === 'cut' ? ' …(cut short)' : '');
    case 'toolCall':
      return `[${item.command ? `Ran: ${item.command}` : item.title} (${outcome(item)})]`;
    case 'turnEnd':
      return endings[item.reason];
    case 'notice':
      // What the agent did before may be undone by now.
      return item.code === 'workspace.wentBack' ? `[${item.text}]` : undefined;
    case 'user':
    case 'thought':
    case 'plan':
      return undefined;
  }
}

const endings = {
  done: undefined,
  stopped: '[The user stopped this turn.]',
  limit: '[This turn ended at a limit.]',
  refused: undefined,
  failed: '[This turn ended by a failure.]',
} as const;

function outcome({ state }: ToolCallItem): string {
  switch (state.kind) {
    case 'finished':
      if (state.exit)
        return state.exit.signal ? `ended by ${state.exit.signal}` : `exit status ${state.exit.code}`;
      return state.ok ? 'done' : 'failed';
    case 'denied':
      return `denied: ${state.reason}`;
    case 'cancelled':
      return 'cancelled';
    case 'pending':
    case 'awaitingApproval':
    case 'running':
      return 'not finished';
  }
}
