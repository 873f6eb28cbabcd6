import { memo } from 'preact/compat';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Bounded } from './bounded.tsx';
import { terminalRuns } from './terminalText.ts';

/** Lines drawn before the user asks for more; output is kept from its end. */
const shownLines = 200;

/** What a command printed, or the text a tool gave back. `live` keeps the end in view. */
export const Output = memo(function Output({ text, live }: { text: string; live: boolean }) {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text]);
  return (
    <Bounded entries={lines} keep="end" limit={shownLines} unit="lines">
      {shown => <Lines text={shown.join('\n')} live={live} />}
    </Bounded>
  );
});

function Lines({ text, live }: { text: string; live: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (live && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [text, live]);
  return (
    <pre class="output" ref={box} tabIndex={0} role="group" aria-label="Output">
      {terminalRuns(text).map((run, index) =>
        run.classes === '' ? (
          run.text
        ) : (
          <span key={index} class={run.classes}>
            {run.text}
          </span>
        ),
      )}
    </pre>
  );
}
