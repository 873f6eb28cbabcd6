import { visibleText } from '../base/visibleText.ts';
import { isObjectName, knownCommits } from './hostGit.ts';
import { sandboxedText, type AgentRepository } from './sandboxedGit.ts';

/** A commit as the agent's repository tells of it, made fit to be shown. */
export interface NewCommit {
  readonly id: string;
  readonly subject: string;
  readonly author: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The commits on the agent's current branch that no branch of the user's has, newest first, at most 200. Empty where
 * there is no repository.
 */
export async function newCommits(from: AgentRepository): Promise<NewCommit[]> {
  const have = await knownCommits(from.repository, from.signal);
  const format = '--format=tformat:%H%x1f%an%x1f%at%x1f%s%x1e';
  const without = have.map(each => `^${each}`);
  // What the user committed after the view was opened may not be seen in it yet.
  const args = ['log', '--no-show-signature', '--no-color', '--max-count=200', format];
  const text = await sandboxedText(from, [...args, '--ignore-missing', 'HEAD', ...without, '--'], 200_000);
  return (text ?? '').split('\x1e').flatMap(record => {
    const [id = '', author = '', at = '', subject = ''] = record.trim().split('\x1f');
    if (!isObjectName(id)) return [];
    const line = (words: string) => visibleText(words.replaceAll(/\s+/g, ' ')).slice(0, 300);
    return [{ id, author: line(author), at: Number(at) * 1_000 || 0, subject: line(subject) }];
  });
}
