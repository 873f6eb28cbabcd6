import { newCommits } from '../../overlay/newCommits.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

/** How many commits the agent's copies of these folders have that the user's repositories have not. */
export async function countCommits(folders: readonly string[], sandbox: Sandbox): Promise<number> {
  let count = 0;
  for (const repository of folders) count += (await newCommits({ repository, sandbox })).length;
  return count;
}
