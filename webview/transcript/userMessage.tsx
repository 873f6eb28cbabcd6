import type { TranscriptItem } from '../../src/protocol/transcript.ts';
import { IconButton } from '../controls/button.tsx';
import { useHost } from '../host.ts';

/** What the user wrote, and what can be done from there; the buttons show under the pointer and with the keyboard. */
export function UserMessage({ item }: { item: Extract<TranscriptItem, { kind: 'user' }> }) {
  const host = useHost();
  const { id, text } = item;
  return (
    <>
      <h3 class="visually-hidden">You</h3>
      <div class="user-text">{text}</div>
      <div class="message-actions" role="toolbar" aria-label="This message">
        <IconButton
          icon="discard"
          label="Go back to before this message"
          onPress={() => host.post({ type: 'goBack', itemId: id })}
        />
        <IconButton
          icon="repo-forked"
          label="Fork the conversation from here"
          onPress={() => host.post({ type: 'fork', itemId: id })}
        />
      </div>
    </>
  );
}
