import type { ReadonlySignal } from '@preact/signals';
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { PanelState } from '../src/protocol/panel.ts';
import { Announcer } from './announcer.tsx';
import { Composer } from './composer.tsx';
import { Footer } from './footer.tsx';
import { Gate } from './gate.tsx';
import { Header } from './header.tsx';
import { History } from './history.tsx';
import type { Kept } from './kept.ts';
import { PlanStrip } from './transcript/plan.tsx';
import { Transcript } from './transcript/transcript.tsx';
import { Welcome } from './welcome.tsx';

interface AppProps {
  /** Null until the host has sent its first state. */
  readonly state: ReadonlySignal<PanelState | null>;
  readonly focusRequests: ReadonlySignal<number>;
  readonly kept: ReadonlySignal<Kept>;
  readonly keep: (change: Partial<Kept>) => void;
}

/** The whole panel. */
export function App({ state, focusRequests, kept, keep }: AppProps) {
  const shown = state.value;
  const [historyOpen, setHistoryOpen] = useState(false);
  const historyButton = useRef<HTMLButtonElement>(null);
  const closeHistory = useCallback(() => {
    setHistoryOpen(false);
    // Back to where the user came from, and only if they were inside.
    if (document.activeElement?.closest('.history') !== null) historyButton.current?.focus();
  }, []);
  const toggleHistory = useCallback(() => setHistoryOpen(open => !open), []);
  const items = shown?.conversation.items;
  const earlier = useMemo(
    () => (items ?? []).flatMap(item => (item.kind === 'user' ? [item.text] : [])),
    [items],
  );
  if (shown === null) return <div class="loading" role="status" aria-label="Loading Cordon" />;

  const { conversation, gate } = shown;
  const { draft, place } = kept.value;
  const plan =
    conversation.status === 'idle' ? undefined : conversation.items.findLast(item => item.kind === 'plan');
  const startAt = place?.conversationId === conversation.id ? place.top : null;
  return (
    <div class="app">
      <Header
        title={conversation.title}
        historyOpen={historyOpen}
        isStopped={gate.kind === 'stopped'}
        onHistory={toggleHistory}
        historyButton={historyButton}
      />
      <main class={`main ${historyOpen ? 'history-shown' : ''}`}>
        {historyOpen ? (
          <History conversations={shown.history} currentId={conversation.id} onClose={closeHistory} />
        ) : null}
        {conversation.items.length > 0 || conversation.status !== 'idle' ? (
          <Transcript
            key={conversation.id}
            conversation={conversation}
            changes={shown.changes}
            startAt={startAt}
            onRest={top => keep({ place: top === null ? null : { conversationId: conversation.id, top } })}
          />
        ) : gate.kind === 'open' ? (
          <Welcome onPick={text => keep({ draft: text })} />
        ) : null}
        {plan === undefined ? null : <PlanStrip entries={plan.entries} />}
        {gate.kind === 'open' ? (
          <Composer
            draft={draft}
            onDraft={text => keep({ draft: text })}
            status={conversation.status}
            earlier={earlier}
            focusRequests={focusRequests.value}
          />
        ) : (
          <Gate gate={gate} />
        )}
      </main>
      <Footer model={shown.model} mode={shown.mode} sandbox={shown.sandbox} usage={conversation.usage} />
      <Announcer conversation={conversation} changes={shown.changes} />
    </div>
  );
}
