import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChangeTotals } from '../src/protocol/panel.ts';
import type { Conversation } from '../src/protocol/transcript.ts';
import { riskLevel } from './approval/risk.ts';
import { spelledOut } from './approval/visibleText.ts';
import { changesWords } from './transcript/changesCard.tsx';

/** Longer messages are announced by their beginning, in UTF-16 units; the whole is there to read. */
const longest = 600;

interface AnnouncerProps {
  readonly conversation: Conversation;
  readonly changes: ChangeTotals | undefined;
}

/**
 * What a screen reader is told without asking: finished messages politely, one at a time and never token by token;
 * requests for consent and questions at once. What was there when the conversation opened is not news.
 */
export function Announcer({ conversation, changes }: AnnouncerProps) {
  const known = useRef<{ conversation: string; ids: Set<string> } | null>(null);
  const [polite, setPolite] = useState('');
  const [urgent, setUrgent] = useState('');
  useEffect(() => {
    const opened = known.current?.conversation !== conversation.id;
    if (opened || known.current === null) known.current = { conversation: conversation.id, ids: new Set() };
    const { ids } = known.current;
    const fresh = (id: string) => !ids.has(id) && ids.add(id) !== undefined && !opened;
    const messages = conversation.items.filter(finished).filter(item => fresh(item.id));
    const said = messages.map(sentence).filter(text => text !== '');
    if (said.length > 0) setPolite(said.join(' ').slice(0, longest));
    const requests = conversation.approvals.filter(request => fresh(request.id)).map(approvalSentence);
    const asked = conversation.questions
      .filter(question => fresh(question.id))
      .map(question => `Cordon asks: ${question.question}`);
    // Also when the panel opens: consent is being waited for.
    const waiting = opened ? conversation.approvals.map(approvalSentence) : [];
    const news = [...requests, ...asked, ...waiting];
    if (news.length > 0) setUrgent(news.join(' ').slice(0, longest));
    if (conversation.approvals.length + conversation.questions.length === 0) setUrgent('');
  }, [conversation]);
  return (
    <div class="visually-hidden">
      <div aria-live="polite" data-announcer="polite">
        {polite}
      </div>
      <div aria-live="assertive" data-announcer="urgent">
        {urgent}
      </div>
      {/* By itself, because it is known a moment after the turn's end. */}
      <div aria-live="polite" data-announcer="changes">
        {conversation.status === 'idle' && changes !== undefined ? changesWords(changes.files) : ''}
      </div>
    </div>
  );
}

type Item = Conversation['items'][number];

function finished(item: Item): boolean {
  return (
    item.kind === 'notice' ||
    item.kind === 'turnEnd' ||
    (item.kind === 'assistant' && item.state !== 'streaming')
  );
}

function sentence(item: Item): string {
  if (item.kind === 'assistant') return `Cordon: ${item.text}`;
  if (item.kind === 'notice') return item.text;
  if (item.kind === 'turnEnd')
    return item.reason === 'done' ? 'Cordon is done.' : `The turn ended: ${item.reason}.`;
  return '';
}

function approvalSentence({ subject, decision }: Conversation['approvals'][number]): string {
  return `Approval request, ${riskLevel(decision.risk).words.toLowerCase()}: ${spelledOut(deedOf(subject))}.`;
}

function deedOf(subject: Conversation['approvals'][number]['subject']): string {
  switch (subject.kind) {
    case 'command':
      return `run ${subject.command}`;
    case 'write':
      return `${subject.operation} ${subject.path}`;
    case 'folder':
      return `${subject.access} ${subject.path}, outside of the workspace`;
    case 'secret':
      return `read ${subject.path}, a hidden file`;
    case 'domain':
      return `reach ${subject.host}, port ${subject.port}`;
  }
}
