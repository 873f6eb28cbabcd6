import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationSummary } from '../src/protocol/panel.ts';
import { Button, IconButton } from './controls/button.tsx';
import { TextField } from './controls/textField.tsx';
import { useHost } from './host.ts';
import { when } from './quantities.ts';

interface HistoryProps {
  readonly conversations: readonly ConversationSummary[];
  readonly currentId: string;
  readonly onClose: () => void;
}

/** What is being done to one row, if anything. */
type RowTask = { readonly kind: 'rename' | 'delete'; readonly id: string } | null;

/** Earlier conversations, latest first: search, open, rename, delete. Arrows move, F2 renames, Delete asks, Escape closes. */
export function History({ conversations, currentId, onClose }: HistoryProps) {
  const host = useHost();
  const [query, setQuery] = useState('');
  const [task, setTask] = useState<RowTask>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = conversations
    .filter(({ title }) => title.toLowerCase().includes(query.trim().toLowerCase()))
    .sort((a, b) => b.updatedAt - a.updatedAt);

  const open = (id: string) => {
    host.post({ type: 'openConversation', id });
    onClose();
  };
  const move = (event: KeyboardEvent) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('.history-open') ?? [])];
    const at = rows.findIndex(row => row === document.activeElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || (at < 0 && step < 0)) return;
    event.preventDefault();
    rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  };

  return (
    <section
      class="history"
      aria-label="History"
      onKeyDown={event => (event.key === 'Escape' ? onClose() : move(event))}
    >
      <div class="history-head">
        <h2>History</h2>
        <IconButton icon="close" label="Close history" onPress={onClose} />
      </div>
      <TextField
        label="Search conversations"
        value={query}
        onInput={setQuery}
        onEscape={() => (query === '' ? onClose() : setQuery(''))}
        onEnter={() => found[0] !== undefined && open(found[0].id)}
        maxLength={200}
        autoFocus
      />
      {found.length === 0 ? (
        <p class="history-empty">
          {conversations.length === 0 ? 'No conversations yet.' : `Nothing called “${query.trim()}”.`}
        </p>
      ) : (
        <ul ref={list} class="history-list">
          {found.map(conversation => (
            <Row
              key={conversation.id}
              conversation={conversation}
              current={conversation.id === currentId}
              task={task?.id === conversation.id ? task.kind : null}
              onTask={kind => setTask(kind === null ? null : { kind, id: conversation.id })}
              onOpen={() => open(conversation.id)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface RowProps {
  readonly conversation: ConversationSummary;
  readonly current: boolean;
  readonly task: 'rename' | 'delete' | null;
  readonly onTask: (kind: 'rename' | 'delete' | null) => void;
  readonly onOpen: () => void;
}

function Row({ conversation: { id, title, updatedAt }, current, task, onTask, onOpen }: RowProps) {
  const host = useHost();
  const row = useRef<HTMLButtonElement>(null);
  const confirm = useRef<HTMLElement>(null);
  const before = useRef(task);
  useLayoutEffect(() => {
    // The keyboard goes where the user's own command leads: to the question, and back to the row.
    if (task === 'delete') confirm.current?.focus();
    else if (task === null && before.current !== null) row.current?.focus();
    before.current = task;
  }, [task]);
  if (task === 'rename') return <Rename id={id} title={title} onDone={() => onTask(null)} />;
  if (task === 'delete') {
    return (
      <li class="history-row asking" onKeyDown={event => escape(event, () => onTask(null))}>
        <span class="history-question">Delete “{title}” for good?</span>
        <Button
          class="danger"
          onPress={() => {
            host.post({ type: 'deleteConversation', id });
            onTask(null);
          }}
        >
          Delete
        </Button>
        <Button buttonRef={confirm} onPress={() => onTask(null)}>
          Keep
        </Button>
      </li>
    );
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'F2') onTask('rename');
    if (event.key === 'Delete') onTask('delete');
  };
  return (
    <li class={`history-row ${current ? 'current' : ''}`}>
      <button
        ref={row}
        type="button"
        class="history-open"
        aria-current={current ? 'true' : 'false'}
        onClick={onOpen}
        onKeyDown={onKeyDown}
      >
        <span class="history-title">{title}</span>
        <span class="history-when">{when(updatedAt, Date.now())}</span>
      </button>
      <span class="history-actions">
        <IconButton icon="edit" label={`Rename ${title}`} onPress={() => onTask('rename')} />
        <IconButton icon="trash" label={`Delete ${title}`} onPress={() => onTask('delete')} />
      </span>
    </li>
  );
}

function Rename({ id, title, onDone }: { id: string; title: string; onDone: () => void }) {
  const host = useHost();
  const [text, setText] = useState(title);
  const save = () => {
    if (text.trim() !== '' && text.trim() !== title)
      host.post({ type: 'renameConversation', id, title: text.trim() });
    onDone();
  };
  return (
    <li class="history-row asking">
      <TextField
        label="New title"
        value={text}
        onInput={setText}
        onEnter={save}
        onEscape={onDone}
        maxLength={200}
        autoFocus
      />
      <IconButton icon="check" label="Save title" onPress={save} />
      <IconButton icon="close" label="Keep the old title" onPress={onDone} />
    </li>
  );
}

function escape(event: KeyboardEvent, then: () => void): void {
  if (event.key !== 'Escape') return;
  event.stopPropagation();
  then();
}
