import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { useHost } from '../host.ts';

/** Commits that a turn left in the agent's copy of the repository, and the way to have them. */
export function NewCommits({ count }: { count: number }) {
  const host = useHost();
  return (
    <div class="new-commits">
      <span>
        <Icon name="git-commit" /> {count === 1 ? '1 commit' : `${count} commits`} not in your repository
      </span>
      <Button onPress={() => host.post({ type: 'importCommits' })}>Import…</Button>
    </div>
  );
}
