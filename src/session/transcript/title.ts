/** A title for a conversation from its first prompt: the first line that says something, at most 60 characters. */
export function titleOf(prompt: string): string {
  const lines = prompt.split('\n').map(text => text.replaceAll(/\s+/g, ' ').trim());
  const line = lines.find(text => text !== '') ?? 'New conversation';
  if (line.length <= maxLength) return line;
  const space = line.lastIndexOf(' ', maxLength - 1);
  const cut = space > maxLength / 2 ? line.slice(0, space) : line.slice(0, maxLength - 1);
  // Not in the middle of a word where that can be helped, and never in the middle of a character.
  return `${cut
    .toWellFormed()
    .replace(/\uFFFD$/, '')
    .trimEnd()}…`;
}

const maxLength = 60;
