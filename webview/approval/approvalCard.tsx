import { memo } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import type { ApprovalAnswer, ApprovalRequest } from '../../src/protocol/approval.ts';
import { useArmed } from '../arming.ts';
import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { TextField } from '../controls/textField.tsx';
import { useHost } from '../host.ts';
import { useReturnFocus } from '../returnFocus.ts';
import { shownPath } from '../markdown/fileReference.ts';
import { CommandText, Sentence, Visible } from './commandText.tsx';
import { DomainSubject } from './domainSubject.tsx';
import { FolderQuestion, folderQuestion } from './folderSubject.tsx';
import { highRisk, riskLevel } from './risk.ts';

type Allowing = 'allowOnce' | 'allowForSession' | 'allowToday' | 'alwaysAllow';

const names: Record<Allowing, string> = {
  allowOnce: 'Allow once',
  allowForSession: 'Allow for this session',
  allowToday: 'Allow today',
  alwaysAllow: 'Always allow…',
};

/** After an answer the card waits for the host; should that not come, it may be answered again. Milliseconds. */
const patience = 4_000;

/**
 * One request for consent. It never takes the keyboard. Its buttons arm after a moment (`place` says where among the
 * open requests it stands: a card that moved arms anew), and a high risk takes two presses to allow.
 */
export const ApprovalCard = memo(function ApprovalCard({
  request,
  place,
}: {
  request: ApprovalRequest;
  place: string;
}) {
  const host = useHost();
  const card = useReturnFocus();
  const [confirming, setConfirming] = useState<Allowing | null>(null);
  const [answered, setAnswered] = useState(false);
  const [words, setWords] = useState('');
  const armed = useArmed(`${place} ${confirming ?? ''}`, card);
  useEffect(() => {
    if (!answered) return undefined;
    const timer = setTimeout(() => setAnswered(false), patience);
    return () => clearTimeout(timer);
  }, [answered]);

  const { decision } = request;
  const risk = riskLevel(decision.risk);
  const answer = (given: ApprovalAnswer) => {
    setAnswered(true);
    host.post({ type: 'answerApproval', id: request.id, answer: given });
  };
  const deny = () => answer(words.trim() === '' ? { kind: 'deny' } : { kind: 'deny', words: words.trim() });
  const allow = (how: Allowing) => {
    if (decision.risk >= highRisk && confirming !== how) return setConfirming(how);
    setConfirming(null);
    // The host asks for pattern and scope, and may be told to forget it: the card stays open for that.
    if (how === 'alwaysAllow') return host.post({ type: 'alwaysAllow', id: request.id });
    return answer({ kind: how });
  };
  const inactive = !armed || answered;

  return (
    <div
      ref={card}
      class={`card approval risk-${risk.level} ${armed ? '' : 'arming'}`}
      role="group"
      aria-label="Approval request"
      data-approval={request.id}
      onKeyDown={event => {
        if (event.key === 'Escape') setConfirming(null);
        // A key that is held down presses again and again; each answer takes a press of its own.
        if (event.repeat && isButton(event.target)) event.preventDefault();
      }}
    >
      <div class="card-head">
        <Icon name={risk.level === 'high' ? 'warning' : 'shield'} />
        <h3>{question(request)}</h3>
        <span class="risk" title={`${decision.risk} of 100`}>
          {risk.words}
        </span>
      </div>
      <Subject request={request} folders={host.folders()} />
      <Reasons request={request} />
      <div class="buttons">
        <Button
          onPress={deny}
          inactive={inactive}
          title={
            words.trim() === '' ? 'It does not happen' : 'It does not happen, and Cordon reads your words'
          }
        >
          Deny
        </Button>
        {offered(request).map(how => (
          <Button
            key={how}
            kind={how === 'allowOnce' && risk.level !== 'high' ? 'primary' : 'secondary'}
            class={confirming === how ? 'confirming' : ''}
            inactive={inactive}
            onPress={() => allow(how)}
          >
            {confirming === how ? `Confirm: ${lowerFirst(nameOf(how, request))}` : nameOf(how, request)}
          </Button>
        ))}
        {request.subject.kind === 'folder' ? (
          <>
            <Button
              inactive={inactive}
              title="It does not happen, and it is not asked again"
              onPress={() => answer({ kind: 'never' })}
            >
              Never
            </Button>
            <Button inactive={inactive} onPress={() => host.post({ type: 'chooseFolder', id: request.id })}>
              Another folder…
            </Button>
          </>
        ) : null}
      </div>
      <TextField
        label="Tell Cordon what to do instead"
        class="deny-words"
        value={words}
        onInput={setWords}
        onEnter={() => words.trim() !== '' && !answered && deny()}
        maxLength={4_000}
      />
      {confirming === null ? null : (
        <p class="hint" role="status">
          This can do lasting harm. Read it once more, then confirm; Escape takes it back.
        </p>
      )}
      {answered ? <p class="hint">Answered.</p> : null}
      <div class="arming-bar" aria-hidden="true" />
    </div>
  );
});

function question({ subject }: ApprovalRequest): string {
  if (subject.kind === 'domain') return 'Reach this host?';
  if (subject.kind === 'command')
    return subject.background ? 'Run this command in the background?' : 'Run this command?';
  if (subject.kind === 'folder') return folderQuestion(subject);
  if (subject.kind === 'secret') return 'Let Cordon read this secret?';
  const verbs = { create: 'Create', edit: 'Change', delete: 'Delete' };
  if (subject.protectedBecause !== undefined) return `${verbs[subject.operation]} this protected file?`;
  return 'Let Cordon change files in this folder?';
}

// A secret is never shown for good. A protected file is asked for each time; a command that no narrow rule fits cannot be allowed for always.
function offered({ subject }: ApprovalRequest): readonly Allowing[] {
  if (subject.kind === 'domain') return ['allowOnce', 'allowForSession', 'alwaysAllow'];
  if (subject.kind === 'folder') return ['allowOnce', 'allowToday', 'alwaysAllow'];
  if (subject.kind === 'secret') return ['allowOnce', 'allowForSession'];
  if (subject.kind === 'write') {
    return subject.protectedBecause === undefined
      ? ['allowOnce', 'allowForSession', 'alwaysAllow']
      : ['allowOnce'];
  }
  return subject.proposals.length === 0
    ? ['allowOnce', 'allowForSession']
    : ['allowOnce', 'allowForSession', 'alwaysAllow'];
}

function Subject({ request, folders }: { request: ApprovalRequest; folders: readonly string[] }) {
  const { subject, decision } = request;
  if (subject.kind === 'domain') return <DomainSubject subject={subject} />;
  if (subject.kind === 'folder') return <FolderQuestion subject={subject} />;
  if (subject.kind === 'secret') return <SecretSubject path={subject.path} />;
  if (subject.kind === 'command') {
    return (
      <>
        <CommandText command={subject.command} reasons={decision.reasons} />
        <p class="where">
          in <Visible text={subject.cwd} />
        </p>
      </>
    );
  }
  return (
    <>
      <pre class="command">
        <code>
          <Visible text={subject.protectedBecause === undefined ? subject.folder : subject.path} />
        </code>
      </pre>
      <p class="where">
        {subject.protectedBecause === undefined ? (
          <>
            first: {subject.operation} <Visible text={shownPath(folders, subject.path)} />. “Allow once” lasts
            until this turn ends.
          </>
        ) : (
          <Visible text={subject.protectedBecause} />
        )}
      </p>
    </>
  );
}

function SecretSubject({ path }: { path: string }) {
  return (
    <>
      <pre class="command">
        <code>
          <Visible text={path} />
        </code>
      </pre>
      <p class="where">
        “Allow once” is for this reading. “For this session” lets all commands of it read the file as well,
        until you take that back.
      </p>
    </>
  );
}

function Reasons({ request }: { request: ApprovalRequest }) {
  const messages = [...new Set(request.decision.reasons.map(reason => reason.message))];
  if (messages.length === 0) return null;
  return (
    <ul class="reasons" aria-label="Why this is asked">
      {messages.map(message => (
        <li key={message}>
          <Sentence text={message} />
        </li>
      ))}
    </ul>
  );
}

// For a folder there is no more to choose.
function nameOf(how: Allowing, { subject }: ApprovalRequest): string {
  return how === 'alwaysAllow' && subject.kind === 'folder' ? 'Always allow' : names[how];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('vscode-button') !== null;
}
