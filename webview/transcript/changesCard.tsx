import { memo } from 'preact/compat';
import type { ChangeTotals } from '../../src/protocol/panel.ts';
import type { ChangedFiles } from '../../src/protocol/transcript.ts';
import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { useHost } from '../host.ts';
import { Counts } from './diff.tsx';

/** What waits for the user's word when Cordon is done. Protected files are left out of "Accept all"; the host says so. */
export const ChangesCard = memo(function ChangesCard({ changes }: { changes: ChangeTotals }) {
  const host = useHost();
  const { files, added, removed } = changes;
  return (
    <div class="card changes-card" role="group" aria-label="Changes to review">
      <div class="card-head">
        <Icon name="diff-multiple" />
        <h3>{changesWords(files)}</h3>
        <Counts added={added} removed={removed} />
      </div>
      {changes.protected === 0 ? null : (
        <p class="hint">
          {changes.protected === 1
            ? '1 of them can run code or change rules later; it is accepted by itself.'
            : `${changes.protected} of them can run code or change rules later; each is accepted by itself.`}
        </p>
      )}
      <div class="buttons">
        <Button kind="primary" onPress={() => host.post({ type: 'reviewChanges' })}>
          Review
        </Button>
        <Button onPress={() => host.post({ type: 'acceptChanges' })}>Accept all</Button>
        <Button onPress={() => host.post({ type: 'discardChanges' })}>Discard all</Button>
      </div>
    </div>
  );
});

/** What a command or a turn changed, as a button that shows it. Nothing where nothing was changed. */
export function ChangedButton({ itemId, changed }: { itemId: string; changed: ChangedFiles | undefined }) {
  const host = useHost();
  if (changed === undefined || changed.count + changed.others === 0) return null;
  const outputs = changed.others === 0 ? '' : `${changed.others.toLocaleString()} ignored`;
  if (changed.count === 0) return <span class="changed-outputs">Changed {outputs} files</span>;
  return (
    <button
      type="button"
      class="link-button changed-files"
      onClick={() => host.post({ type: 'reviewChanges', itemId })}
    >
      {`Changed ${counted(changed.count)}`}
      {outputs === '' ? '' : ` and ${outputs}`}
    </button>
  );
}

/** What is said of it, also to screen readers. */
export function changesWords(count: number): string {
  return `${count.toLocaleString()} ${count === 1 ? 'change' : 'changes'} to review`;
}

function counted(files: number): string {
  return `${files.toLocaleString()} ${files === 1 ? 'file' : 'files'}`;
}
