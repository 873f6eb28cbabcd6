import type { Ref } from 'preact';
import { memo } from 'preact/compat';
import { IconButton } from './controls/button.tsx';
import { useHost } from './host.ts';

interface HeaderProps {
  readonly title: string;
  readonly historyOpen: boolean;
  /** Everything was stopped already. */
  readonly isStopped: boolean;
  readonly onHistory: () => void;
  readonly historyButton: Ref<HTMLButtonElement>;
}

/** The conversation's title and what can be done beside it. */
export const Header = memo(function Header({
  title,
  historyOpen,
  isStopped,
  onHistory,
  historyButton,
}: HeaderProps) {
  const host = useHost();
  return (
    <header class="header">
      <h1 title={title}>{title}</h1>
      <IconButton
        icon="add"
        label="New conversation"
        onPress={() => host.post({ type: 'newConversation' })}
      />
      <IconButton
        icon="history"
        label="History"
        expanded={historyOpen}
        onPress={onHistory}
        buttonRef={historyButton}
      />
      <IconButton
        icon="stop-circle"
        label="Stop everything"
        class="stop-everything"
        disabled={isStopped}
        onPress={() => host.post({ type: 'stopEverything' })}
      />
      <IconButton
        icon="go-to-file"
        label="Open in editor tab"
        onPress={() => host.post({ type: 'openInEditor' })}
      />
    </header>
  );
});
