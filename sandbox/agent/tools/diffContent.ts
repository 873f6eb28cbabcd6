import type { ToolCallContent } from '@agentclientprotocol/sdk';

/** Both texts of a diff block together, in UTF-16 units; larger ones are left to the broker, which has the file. */
const maxDiff = 400_000;

/** What a change looks like, for the panel. `oldText` is null for a new file. */
export function diffContent(path: string, oldText: string | null, newText: string): ToolCallContent[] {
  if ((oldText?.length ?? 0) + newText.length > maxDiff) return [];
  return [{ type: 'diff', path, oldText, newText }];
}
