import type { CallState, ToolCallItem } from '../../protocol/transcript.ts';
import { isOpen } from '../../store/interrupted.ts';
import type { ToolCallReport } from '../agent/agentMessages.ts';
import type { Denial } from '../consent/denial.ts';
import type { Transcript } from './transcript.ts';

/**
 * The tool calls of one turn, as the panel shows them. What the broker does itself (commands, changes of files) it
 * knows better than the agent: such a call follows the broker, and a denial stays a denial whatever the agent says.
 */
export class ToolCalls {
  /** Items of calls that a terminal of the broker's speaks for. */
  readonly #commands = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(
    private readonly transcript: Transcript,
    /** Makes item ids: an agent that uses an id of an earlier turn again cannot rewrite what stands there. */
    private readonly turnId: string,
  ) {}

  itemId(toolCallId: string): string {
    return `${this.turnId}.${toolCallId}`;
  }

  /** Takes over what the agent tells of a call. Unknown calls begin with this. */
  report(report: ToolCallReport): void {
    const before = this.open(report.toolCallId);
    const isOurs = this.#commands.has(before.id);
    const output = textOf(report.content);
    this.transcript.put({
      ...before,
      tool: report.kind ? kinds[report.kind] : before.tool,
      title: report.title ?? before.title,
      state: isOurs ? before.state : nextState(before.state, report.status, before.at),
      locations:
        report.locations?.map(({ path, line }) => ({ path, ...(line ? { line } : {}) })) ?? before.locations,
      output: output === undefined || isOurs ? before.output : output.slice(0, maxOutput),
    });
  }

  /** The call's item, made if the agent has not spoken of it. */
  open(toolCallId: string): ToolCallItem {
    const id = this.itemId(toolCallId);
    const item = this.transcript.item(id);
    if (item?.kind === 'toolCall') return item;
    if (this.#seen.size >= maxCalls) throw new Error(`more than ${maxCalls} tool calls in one turn`);
    this.#seen.add(id);
    return {
      id,
      at: Date.now(),
      kind: 'toolCall',
      tool: 'other',
      title: 'Tool call',
      state: { kind: 'pending' },
      locations: [],
      diffs: [],
      output: '',
    };
  }

  /** Changes the item by what the broker knows. */
  change(toolCallId: string, changes: Partial<ToolCallItem>): ToolCallItem {
    const item: ToolCallItem = { ...this.open(toolCallId), ...changes };
    this.transcript.put(item);
    return item;
  }

  /** From here on the broker's terminal says how this call stands. */
  takeOver(toolCallId: string, changes: Partial<ToolCallItem>): ToolCallItem {
    this.#commands.add(this.itemId(toolCallId));
    return this.change(toolCallId, { tool: 'execute', ...changes });
  }

  /**
   * Shows what did not happen, and why; `deed` says it where the denial has no words. Once the signal is aborted nobody
   * denied it: it was cancelled.
   */
  deny(toolCallId: string, { by, reason }: Denial, deed: string, signal: AbortSignal): void {
    const state: CallState = signal.aborted
      ? { kind: 'cancelled' }
      : { kind: 'denied', by, reason: reason || deed };
    this.change(toolCallId, { state });
  }

  /** Ends what is still open when the turn is over; commands in the background go on. */
  end(): void {
    for (const id of this.#seen) {
      const item = this.transcript.item(id);
      if (
        item?.kind !== 'toolCall' ||
        !isOpen(item.state) ||
        (item.background && item.state.kind === 'running')
      )
        continue;
      this.transcript.put({ ...item, state: { kind: 'cancelled' } });
    }
  }
}

/** More are a loop, not work. */
const maxCalls = 2_000;

/** What is kept of a tool's text, in UTF-16 units. Commands have their own, larger bound. */
const maxOutput = 50_000;

const kinds: Record<NonNullable<ToolCallReport['kind']>, ToolCallItem['tool']> = {
  read: 'read',
  edit: 'edit',
  move: 'edit',
  delete: 'delete',
  search: 'search',
  execute: 'execute',
  think: 'think',
  fetch: 'other',
  switch_mode: 'other',
  other: 'other',
};

function nextState(before: CallState, status: ToolCallReport['status'], since: number): CallState {
  if (!isOpen(before)) return before;
  const took = Date.now() - (before.kind === 'running' ? before.since : since);
  switch (status) {
    case 'in_progress':
      return before.kind === 'pending' ? { kind: 'running', since: Date.now() } : before;
    case 'completed':
      return { kind: 'finished', ok: true, took };
    case 'failed':
      return { kind: 'finished', ok: false, took };
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'pending':
    case null:
    case undefined:
      return before;
  }
}

function textOf(content: ToolCallReport['content']): string | undefined {
  const texts = content?.flatMap(block => (block.type === 'content' ? [block.content] : []));
  return texts && texts.length > 0 ? texts.join('\n') : undefined;
}
