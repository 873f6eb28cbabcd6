import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { CallState, ToolCallItem } from '../../src/protocol/transcript.ts';
import { CommandText, Sentence, Visible } from '../approval/commandText.tsx';
import { Icon } from '../controls/icon.tsx';
import { openFile, useHost } from '../host.ts';
import { shownPath } from '../markdown/fileReference.ts';
import { duration } from '../quantities.ts';
import { ChangedButton } from './changesCard.tsx';
import { Connections, Denials } from './denials.tsx';
import { Counts, Diff } from './diff.tsx';
import { Output } from './output.tsx';

/** A tool call: one line that opens. A running command is open by itself until the user says otherwise. */
export const ToolCall = memo(function ToolCall({ call }: { call: ToolCallItem }) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const details = hasDetails(call);
  const open = details && (chosen ?? opensItself(call));
  const added = call.diffs.reduce((sum, diff) => sum + diff.added, 0);
  const removed = call.diffs.reduce((sum, diff) => sum + diff.removed, 0);
  const state = stateOf(call.state, call.tool === 'execute' ? 0 : 1_000);
  return (
    <div class={`tool-call ${state.tone}`} data-tool-call={call.id}>
      <button
        type="button"
        class="tool-line"
        aria-expanded={open}
        disabled={!details}
        onClick={() => setChosen(!open)}
      >
        <Icon name={icons[call.tool]} />
        <span class={call.command === undefined ? 'tool-title' : 'tool-title code'} title={call.title}>
          <Visible text={firstLine(call.command ?? call.title)} />
        </span>
        {call.diffs.length === 0 ? null : <Counts added={added} removed={removed} />}
        <span class="tool-state">
          {state.words === '' ? <span class="visually-hidden">Done</span> : state.words}
        </span>
        <Icon name={state.icon} spin={state.icon === 'loading'} />
        {details ? <Icon name={open ? 'chevron-up' : 'chevron-down'} /> : null}
      </button>
      {open ? <Details call={call} /> : null}
      <Denials call={call} />
    </div>
  );
});

const icons: Record<ToolCallItem['tool'], string> = {
  read: 'book',
  edit: 'edit',
  delete: 'trash',
  search: 'search',
  execute: 'terminal',
  think: 'lightbulb',
  other: 'tools',
};

function Details({ call }: { call: ToolCallItem }) {
  const host = useHost();
  const folders = host.folders();
  const changed = new Set(call.diffs.map(diff => diff.path));
  const others = call.locations.filter(location => !changed.has(location.path));
  return (
    <div class="tool-details">
      {call.command === undefined ? null : <CommandText command={call.command} reasons={[]} />}
      {call.cwd === undefined || call.cwd === folders[0] ? null : (
        <p class="where">in {shownPath(folders, call.cwd)}</p>
      )}
      {call.state.kind === 'denied' ? (
        <p class="denial">
          {deniedBy[call.state.by]} <Sentence text={call.state.reason} />
        </p>
      ) : null}
      {others.length === 0 ? null : (
        <ul class="locations" aria-label="Files">
          {others.map((location, index) => (
            <li key={index}>
              <button
                type="button"
                class="link-button"
                onClick={() => openFile(host, location.path, location.line)}
              >
                {shownPath(folders, location.path)}
                {location.line === undefined ? '' : `:${location.line}`}
              </button>
            </li>
          ))}
        </ul>
      )}
      {call.diffs.map(diff => (
        <Diff key={diff.path} diff={diff} />
      ))}
      {call.output === '' ? null : <Output text={call.output} live={call.state.kind === 'running'} />}
      <Connections call={call} />
      <ChangedButton itemId={call.id} changed={call.changed} />
      {call.allowedBy === undefined ? null : (
        <p class="allowed-by">
          <Icon name="verified" /> <Sentence text={call.allowedBy} />
        </p>
      )}
    </div>
  );
}

const deniedBy = {
  policy: 'Denied by policy:',
  user: 'Denied by you:',
  sandbox: 'Refused by the sandbox:',
} as const;

function hasDetails(call: ToolCallItem): boolean {
  return (
    call.command !== undefined ||
    call.output !== '' ||
    call.diffs.length > 0 ||
    call.locations.length > 0 ||
    call.allowedBy !== undefined ||
    call.state.kind === 'denied'
  );
}

function opensItself(call: ToolCallItem): boolean {
  return (
    call.tool === 'execute' && call.state.kind === 'running' && call.background !== true && call.output !== ''
  );
}

interface StateWords {
  readonly tone: 'quiet' | 'active' | 'good' | 'bad';
  readonly icon: string;
  readonly words: string;
}

/** `notable` is from when on, in milliseconds, the time that it took is worth a word. */
function stateOf(state: CallState, notable: number): StateWords {
  switch (state.kind) {
    case 'pending':
      return { tone: 'quiet', icon: 'circle-outline', words: 'Pending' };
    case 'awaitingApproval':
      return { tone: 'active', icon: 'shield', words: 'Waiting for you' };
    case 'running':
      return { tone: 'active', icon: 'loading', words: 'Running' };
    case 'finished': {
      const took = state.took === undefined || state.took < notable ? '' : duration(state.took);
      const exit = exitWords(state.exit);
      const words = [exit, took].filter(part => part !== '').join(' · ');
      return state.ok
        ? { tone: 'good', icon: 'check', words }
        : {
            tone: 'bad',
            icon: 'error',
            words: exit === '' ? ['Failed', took].filter(part => part !== '').join(' · ') : words,
          };
    }
    case 'denied':
      return { tone: 'bad', icon: 'circle-slash', words: 'Denied' };
    case 'cancelled':
      return { tone: 'quiet', icon: 'circle-slash', words: 'Cancelled' };
  }
}

// Success goes without saying; the check mark shows it.
function exitWords(exit: { code: number | null; signal: string | null } | undefined): string {
  if (exit === undefined || exit.code === 0) return '';
  return exit.code === null ? `ended by ${exit.signal ?? 'a signal'}` : `exit ${exit.code}`;
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : `${text.slice(0, end)} …`;
}
