import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { TranscriptItem } from '../../src/protocol/transcript.ts';
import { Icon } from '../controls/icon.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { ToolCall } from './toolCall.tsx';

type Of<Kind extends TranscriptItem['kind']> = Extract<TranscriptItem, { kind: Kind }>;

/** One entry of the conversation. Drawn again only when its item is another object. */
export const Entry = memo(function Entry({ item }: { item: TranscriptItem }) {
  return (
    <div class={`entry entry-${item.kind}`} data-item={item.id}>
      <Content item={item} />
    </div>
  );
});

function Content({ item }: { item: TranscriptItem }) {
  switch (item.kind) {
    case 'user':
      return (
        <>
          <h3 class="visually-hidden">You</h3>
          <div class="user-text">{item.text}</div>
        </>
      );
    case 'assistant':
      return (
        <>
          <h3 class="visually-hidden">Cordon</h3>
          <Markdown text={item.text} live={item.state === 'streaming'} />
          {item.state === 'cut' ? <p class="cut">This answer was cut off.</p> : null}
        </>
      );
    case 'thought':
      return <Thought item={item} />;
    case 'toolCall':
      return <ToolCall call={item} />;
    case 'plan':
      return <Plan item={item} />;
    case 'notice':
      return (
        <div class={`notice notice-${item.level}`}>
          <Icon name={item.level} />
          <span>
            <span class="visually-hidden">{`${noticeWords[item.level]}: `}</span>
            {item.text}
          </span>
        </div>
      );
    case 'turnEnd':
      return item.reason === 'done' ? null : <p class="turn-end">{turnEndWords[item.reason]}</p>;
  }
}

const noticeWords = { info: 'Note', warning: 'Warning', error: 'Error' } as const;

const turnEndWords: Record<Exclude<Of<'turnEnd'>['reason'], 'done'>, string> = {
  stopped: 'Stopped',
  limit: 'Stopped at the limit of one turn. Say “go on” to continue.',
  refused: 'The model refused to go on',
  failed: 'The turn ended with an error',
};

function Thought({ item }: { item: Of<'thought'> }) {
  const [open, setOpen] = useState(false);
  const live = item.state === 'streaming';
  return (
    <div class={`thought ${live ? 'live' : ''}`}>
      <button type="button" class="thought-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'chevron-down' : 'chevron-right'} />
        {live ? 'Thinking' : 'Thought'}
      </button>
      {open ? <Markdown text={item.text} live={live} /> : null}
    </div>
  );
}

const stepIcons = { pending: 'circle-large-outline', in_progress: 'sync', completed: 'pass-filled' } as const;
const stepWords = { pending: 'to do', in_progress: 'in progress', completed: 'done' } as const;

function Plan({ item }: { item: Of<'plan'> }) {
  const done = item.entries.filter(entry => entry.status === 'completed').length;
  return (
    <div class="plan" role="group" aria-label="Plan">
      <div class="plan-head">
        <Icon name="checklist" />
        <span>Plan</span>
        <span class="plan-count">{`${done} of ${item.entries.length} done`}</span>
      </div>
      <ul>
        {item.entries.map((entry, index) => (
          <li key={index} class={`step-${entry.status}`}>
            <Icon name={stepIcons[entry.status]} />
            <span>
              {entry.content}
              <span class="visually-hidden">{`, ${stepWords[entry.status]}`}</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
