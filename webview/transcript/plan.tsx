import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { TranscriptItem } from '../../src/protocol/transcript.ts';
import { Icon } from '../controls/icon.tsx';

type Entries = Extract<TranscriptItem, { kind: 'plan' }>['entries'];

/** The agent's plan as a checklist. */
export function Plan({ entries }: { entries: Entries }) {
  return (
    <div class="plan" role="group" aria-label="Plan">
      <div class="plan-head">
        <Icon name="checklist" />
        <span>Plan</span>
        <span class="plan-count">{`${doneOf(entries)} of ${entries.length} done`}</span>
      </div>
      <Steps entries={entries} />
    </div>
  );
}

/** The plan in one line above the prompt box while Cordon works: which step it is at. Opens to the whole list. */
export const PlanStrip = memo(function PlanStrip({ entries }: { entries: Entries }) {
  const [open, setOpen] = useState(false);
  const current = entries.find(entry => entry.status !== 'completed');
  if (current === undefined) return null;
  return (
    <div class="plan-strip">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'chevron-down' : 'chevron-right'} />
        <span class="plan-now">{current.content}</span>
        <span class="plan-count">{`${doneOf(entries)} of ${entries.length} done`}</span>
      </button>
      {open ? <Steps entries={entries} /> : null}
    </div>
  );
});

const icons = { pending: 'circle-large-outline', in_progress: 'sync', completed: 'pass-filled' } as const;
const words = { pending: 'to do', in_progress: 'in progress', completed: 'done' } as const;

function Steps({ entries }: { entries: Entries }) {
  return (
    <ul class="steps">
      {entries.map((entry, index) => (
        <li key={index} class={`step-${entry.status}`}>
          <Icon name={icons[entry.status]} />
          <span>
            {entry.content}
            <span class="visually-hidden">{`, ${words[entry.status]}`}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function doneOf(entries: Entries): number {
  return entries.filter(entry => entry.status === 'completed').length;
}
