import { stripVTControlCharacters } from 'node:util';
import { visibleText } from '../base/visibleText.ts';
import type { RunChanges } from './runChanges.ts';
import type { SessionEvent, ToolCallItem, TranscriptItem } from '../protocol/transcript.ts';

/** How a run ended. `incomplete`: the agent finished, but not all of its changes were made or taken over. */
export type RunStatus = 'done' | 'incomplete' | 'stopped' | 'limit' | 'refused' | 'failed';

/** What a run says of itself at its beginning, besides the events of its session. */
export interface RunStart {
  readonly session: string;
  readonly folders: readonly string[];
  readonly model: string;
  readonly provider: string;
}

export interface RunReport {
  start(run: RunStart): void;
  event(event: SessionEvent): void;
  /** What became of the changes in its copy of the workspace; `words` say the same. */
  changes(changes: RunChanges, words: string): void;
  end(status: RunStatus, message: string): void;
}

/** One JSON object a line: `start`, the session's own events, `changes` where there is a copy, `end`. */
export function jsonReport(out: NodeJS.WritableStream): RunReport {
  const line = (value: unknown) => void out.write(JSON.stringify(value) + '\n');
  return {
    start: run => line({ type: 'start', ...run }),
    event: line,
    changes: changes => line({ type: 'changes', ...changes }),
    end: (status, message) => line({ type: 'end', status, message }),
  };
}

/** For people: what the agent says on `out`, what it does on `err`. */
export function plainReport(out: NodeJS.WritableStream, err: NodeJS.WritableStream): RunReport {
  /** What was printed of each item so far: characters of text, or the last state. */
  const printed = new Map<string, number>();
  const states = new Map<string, string>();
  let atLineStart = true;

  const say = (text: string) => {
    if (text === '') return;
    out.write(clean(text));
    atLineStart = text.endsWith('\n');
  };
  const note = (text: string) => {
    if (!atLineStart) out.write('\n');
    atLineStart = true;
    err.write(clean(text) + '\n');
  };
  const grow = (id: string, text: string) => {
    printed.set(id, (printed.get(id) ?? 0) + text.length);
    return text;
  };
  const rest = (id: string, text: string) => grow(id, text.slice(printed.get(id) ?? 0));

  const showCall = (call: ToolCallItem) => {
    // Plans and thoughts show by themselves.
    if (call.tool === 'think') return;
    const state = stateLine(call);
    const started = call.command !== undefined && call.state.kind === 'running' && !states.has(call.id);
    if (started) note(`$ ${call.command}`);
    if (state === states.get(call.id)) return;
    states.set(call.id, state);
    if (state !== '') note(state);
  };
  /** The plan whole at first, then what changed in it. */
  const showPlan = ({ entries }: Extract<TranscriptItem, { kind: 'plan' }>) => {
    for (const { status, content } of entries) {
      if (states.get(content) === status) continue;
      states.set(content, status);
      note(`  ${marks[status]} ${content}`);
    }
  };
  const show = (item: TranscriptItem) => {
    switch (item.kind) {
      case 'assistant':
        say(rest(item.id, item.text));
        if (item.state !== 'streaming' && !atLineStart) say('\n');
        return;
      case 'toolCall':
        return showCall(item);
      case 'notice':
        return note(`${item.level}: ${item.text}`);
      case 'plan':
        return showPlan(item);
      case 'user':
      case 'thought':
      case 'turnEnd':
        return undefined;
    }
  };

  const thoughts = new Set<string>();
  return {
    start: ({ model, folders }) => note(`${model} · ${folders.join(', ')}`),
    event(event) {
      if (event.type === 'item') {
        if (event.item.kind === 'thought') thoughts.add(event.item.id);
        show(event.item);
      } else if (event.type === 'text' && !thoughts.has(event.id)) say(grow(event.id, event.text));
      else if (event.type === 'output') err.write(clean(event.text));
    },
    changes: (_, words) => (words === '' ? undefined : note(words)),
    end: (status, message) => note(message === '' ? `${status}.` : `${status}: ${message}`),
  };
}

const marks = { pending: '·', in_progress: '▸', completed: '✓' } as const;

/** One line for what became of a call; empty while there is nothing to say. */
function stateLine(call: ToolCallItem): string {
  const { state, title } = call;
  switch (state.kind) {
    case 'finished': {
      if (!state.exit) return `${state.ok ? '✓' : '✗'} ${title}`;
      const { code, signal } = state.exit;
      return `${state.ok ? '✓' : '✗'} ${signal ? `ended by ${signal}` : `exit status ${code}`}`;
    }
    case 'denied':
      return `✗ ${title}: denied by ${state.by}. ${state.reason}`;
    case 'cancelled':
      return `✗ ${title}: cancelled`;
    case 'pending':
    case 'awaitingApproval':
    case 'running':
      return '';
  }
}

/** Text that cannot steer a terminal. */
function clean(text: string): string {
  return visibleText(stripVTControlCharacters(text.replaceAll(/\r\n?/g, '\n')));
}
