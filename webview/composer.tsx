import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { SessionStatus } from '../src/protocol/transcript.ts';
import { useArmed } from './arming.ts';
import { IconButton } from './controls/button.tsx';
import { useHost } from './host.ts';

/** The longest prompt that the protocol carries, in UTF-16 units. */
const longestPrompt = 200_000;

interface ComposerProps {
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly status: SessionStatus;
  /** What the user asked before, oldest first, for recalling. */
  readonly earlier: readonly string[];
  /** Counts up each time the host asks for the keyboard to be put here. */
  readonly focusRequests: number;
}

/**
 * The prompt box. Enter sends, Shift+Enter breaks the line. While a turn runs, typing goes on and is kept; Enter then
 * only stays, and Escape never stops anything: stopping takes the button.
 */
export function Composer({ draft, onDraft, status, earlier, focusRequests }: ComposerProps) {
  const host = useHost();
  const box = useRef<HTMLTextAreaElement>(null);
  /** How many prompts back the box shows; 0 for the user's own text. */
  const recalled = useRef(0);
  const idle = status === 'idle';
  // Send comes up where Stop was: a second press meant for Stop must not send what is in the box.
  const [tooEarly, setTooEarly] = useState(false);
  useEffect(() => setTooEarly(false), [status]);
  const settled = useArmed(idle ? 'send' : 'stop');
  useLayoutEffect(() => {
    if (focusRequests > 0) box.current?.focus();
  }, [focusRequests]);
  useEffect(() => {
    // A text that came from outside (recalled, or the host's) is edited at its end.
    const element = box.current;
    if (element !== null && document.activeElement !== element)
      element.setSelectionRange(draft.length, draft.length);
  }, [draft]);

  const send = () => {
    if (draft.trim() === '') return;
    if (!idle) return setTooEarly(true);
    host.post({ type: 'send', text: draft.slice(0, longestPrompt) });
    recalled.current = 0;
    onDraft('');
  };
  const recall = (step: 1 | -1): boolean => {
    const next = recalled.current + step;
    const atEdge = draft === '' ? recalled.current === 0 : draft === earlier.at(-recalled.current);
    if (!atEdge || next < 0 || next > earlier.length) return false;
    recalled.current = next;
    onDraft(next === 0 ? '' : (earlier.at(-next) ?? ''));
    return true;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // 229 is what older input methods send in place of `isComposing`.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && recall(1)) event.preventDefault();
    else if (event.key === 'ArrowDown' && recalled.current > 0 && recall(-1)) event.preventDefault();
  };

  return (
    <>
      <div class="composer" onClick={event => event.target === event.currentTarget && box.current?.focus()}>
        <textarea
          ref={box}
          class="prompt"
          rows={1}
          aria-label="Ask Cordon"
          placeholder={idle ? 'What shall Cordon do?' : 'Type ahead while it works'}
          maxLength={longestPrompt}
          value={draft}
          onInput={event => {
            recalled.current = 0;
            onDraft(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
        />
        {idle ? (
          <IconButton
            key="send"
            class="send"
            icon="arrow-up"
            label="Send"
            disabled={draft.trim() === '' || !settled}
            onPress={send}
          />
        ) : (
          <IconButton
            key="stop"
            class="stop"
            icon="debug-stop"
            label="Stop"
            disabled={status === 'stopping'}
            onPress={() => {
              host.post({ type: 'stop' });
              box.current?.focus();
            }}
          />
        )}
      </div>
      <p class="composer-hint" role="status">
        {tooEarly ? 'Your text stays here. Send it when Cordon is done, or stop it first.' : null}
      </p>
    </>
  );
}
