import type { Reason } from '../../src/protocol/decision.ts';
import { pieces, segments } from './visibleText.ts';

/** The whole command, wrapped and never cut, invisible characters as chips, what reasons point at underlined. */
export function CommandText({ command, reasons }: { command: string; reasons: readonly Reason[] }) {
  return (
    <pre class="command">
      <code>
        {segments(command, reasons).map((segment, index) =>
          segment.reasons.length === 0 ? (
            <Visible key={index} text={segment.text} />
          ) : (
            <mark key={index} title={segment.reasons.map(reason => reason.message).join('\n')}>
              <Visible text={segment.text} />
            </mark>
          ),
        )}
      </code>
    </pre>
  );
}

/** Text in which nothing hides: see `pieces`. */
export function Visible({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, index) =>
        piece.kind === 'text' ? (
          piece.text
        ) : (
          <span key={index} class="invisible-character" title={`Invisible character ${piece.name}`}>
            ⟨{piece.name}⟩
          </span>
        ),
      )}
    </>
  );
}

/** A sentence about something: what stands between backticks is drawn as code. */
export function Sentence({ text }: { text: string }) {
  return (
    <>
      {text.split(/`([^`]+)`/).map((part, index) =>
        index % 2 === 0 ? (
          <Visible key={index} text={part} />
        ) : (
          <code key={index} class="named">
            <Visible text={part} />
          </code>
        ),
      )}
    </>
  );
}
