import { Button } from '../controls/button.tsx';
import { Icon } from '../controls/icon.tsx';
import { useHost } from '../host.ts';

/** Commits that a turn left in the agent's copy of the repository, and the way to have them. */
export function NewCommits({ count }: { count: number }) {
  const host = useHost();
  return (
    <div class="new-commits">
      <Icon name="git-commit" />
      <span>{count === 1 ? '1 commit' : `${count} commits`} that your repository does not have</span>
      <Button onPress={() => host.post({ type: 'importCommits' })}>Import…</Button>
    </div>
  );
}
