import { memo } from 'preact/compat';
import { useMemo } from 'preact/hooks';
import type { FileDiff } from '../../src/protocol/transcript.ts';
import { openFile, useHost } from '../host.ts';
import { shownPath } from '../markdown/fileReference.ts';
import { Bounded } from './bounded.tsx';
import { diffLines, type DiffLine } from './diffLines.ts';

const shownLines = 300;

/** One file's changes: name, counts, and the hunks in colour. */
export const Diff = memo(function Diff({ diff }: { diff: FileDiff }) {
  const host = useHost();
  const lines = useMemo(() => diffLines(diff.patch), [diff.patch]);
  const name = shownPath(host.folders(), diff.path);
  const firstChange = lines.find(line => line.kind === 'added' || line.kind === 'removed');
  const line = firstChange === undefined || !('line' in firstChange) ? undefined : firstChange.line;
  return (
    <div class="diff">
      <div class="diff-head">
        <button
          type="button"
          class="link-button"
          title={`Open ${name}`}
          onClick={() => openFile(host, diff.path, line)}
        >
          {name}
        </button>
        <Counts added={diff.added} removed={diff.removed} />
      </div>
      <div class="diff-body" tabIndex={0} role="group" aria-label={`Changes in ${name}`}>
        <Bounded entries={lines} keep="start" limit={shownLines} unit="lines">
          {shown => (
            <div class="diff-lines">
              {shown.map((entry, index) => (
                <Line key={index} line={entry} />
              ))}
            </div>
          )}
        </Bounded>
      </div>
    </div>
  );
});

/** `+3 −1`, also in words. */
export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span class="counts">
      <span class="visually-hidden">{`${added} added, ${removed} removed`}</span>
      <span class="count-added" aria-hidden="true">{`+${added}`}</span>
      <span class="count-removed" aria-hidden="true">{`−${removed}`}</span>
    </span>
  );
}

const signs = { added: '+', removed: '−', context: ' ', hunk: '', note: '' } as const;

function Line({ line }: { line: DiffLine }) {
  return (
    <div class={`diff-line ${line.kind}`}>
      <span class="line-number" aria-hidden="true">
        {'line' in line ? line.line : ''}
      </span>
      <span class="sign">{signs[line.kind]}</span>
      <span class="line-text">{line.text}</span>
    </div>
  );
}
