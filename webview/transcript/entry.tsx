import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import type { CallState, TranscriptItem } from '../../src/protocol/transcript.ts';
import { Icon } from '../controls/icon.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { ChangedButton } from './changesCard.tsx';
import { NewCommits } from './newCommits.tsx';
import { Plan } from './plan.tsx';
import { UserMessage } from './userMessage.tsx';
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
      return <UserMessage item={item} />;
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
      // What the plan and the thoughts show is not also a line of its own.
      return item.tool === 'think' && !failed(item.state) ? null : <ToolCall call={item} />;
    case 'plan':
      return <Plan entries={item.entries} />;
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
      return (
        <>
          {item.reason === 'done' ? null : <p class="turn-end">{turnEndWords[item.reason]}</p>}
          <ChangedButton itemId={item.id} changed={item.changed} />
          {item.commits === undefined ? null : <NewCommits count={item.commits} />}
        </>
      );
  }
}

function failed(state: CallState): boolean {
  return state.kind === 'denied' || (state.kind === 'finished' && !state.ok);
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
