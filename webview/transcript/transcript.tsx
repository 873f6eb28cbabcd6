import { memo } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import type { ChangeTotals } from '../../src/protocol/panel.ts';
import type { Conversation, SessionStatus } from '../../src/protocol/transcript.ts';
import { ApprovalCard } from '../approval/approvalCard.tsx';
import { QuestionCard } from '../approval/questionCard.tsx';
import { Icon } from '../controls/icon.tsx';
import { duration } from '../quantities.ts';
import { ChangesCard } from './changesCard.tsx';
import { Entry } from './entry.tsx';
import { useFollowing } from './follow.ts';

interface TranscriptProps {
  readonly conversation: Conversation;
  /** What waits for review. */
  readonly changes: ChangeTotals | undefined;
  /** Where the user had scrolled to, in CSS pixels; null for the end. */
  readonly startAt: number | null;
  readonly onRest: (place: number | null) => void;
}

/** The conversation, oldest first, then what waits for the user. */
export const Transcript = memo(function Transcript({
  conversation,
  changes,
  startAt,
  onRest,
}: TranscriptProps) {
  const { scroller, content, following, jump } = useFollowing(startAt, onRest);
  const { items, approvals, questions, status } = conversation;
  const waiting = approvals.length + questions.length;
  // Naming what stands above, so that a card which moves up arms anew.
  const place = (index: number) =>
    approvals
      .slice(0, index + 1)
      .map(request => request.id)
      .join(' ');
  const lastPrompt = items.findLast(item => item.kind === 'user');
  return (
    <div class="transcript-frame">
      {/* Announced by announcer.tsx in whole messages; a live log would read every token. */}
      <div
        class={`transcript ${following ? 'following' : ''}`}
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
      >
        <div class="transcript-content" ref={content}>
          {items.map(item => (
            <Entry key={item.id} item={item} />
          ))}
          {approvals.map((request, index) => (
            <ApprovalCard key={request.id} request={request} place={place(index)} />
          ))}
          {questions.map(question => (
            <QuestionCard key={question.id} question={question} />
          ))}
          {status === 'idle' && changes !== undefined ? <ChangesCard changes={changes} /> : null}
          {status === 'idle' || waiting > 0 ? null : <Working status={status} since={lastPrompt?.at} />}
        </div>
      </div>
      {following ? null : (
        <button type="button" class={`jump ${waiting > 0 ? 'waiting' : ''}`} onClick={jump}>
          <Icon name={waiting > 0 ? 'bell-dot' : 'arrow-down'} />
          {waiting > 0 ? 'Cordon waits for you. ' : ''}Jump to latest
        </button>
      )}
    </div>
  );
});

const workingWords: Record<Exclude<SessionStatus, 'idle'>, string> = {
  starting: 'Starting the agent in its sandbox',
  running: 'Working',
  stopping: 'Stopping',
};

function Working({ status, since }: { status: Exclude<SessionStatus, 'idle'>; since: number | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const passed = since === undefined ? 0 : now - since;
  return (
    <div class="working">
      <span class="working-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span>{workingWords[status]}</span>
      {passed < 2_000 ? null : (
        <span class="working-time" aria-hidden="true">
          {duration(Math.floor(passed / 1_000) * 1_000).replace('.0', '')}
        </span>
      )}
    </div>
  );
}
