/** A title for a conversation from its first prompt: the first line that says something, at most 60 characters. */
export function titleOf(prompt: string): string {
  const line =
    prompt
      .split('\n')
      .map(text => text.replaceAll(/\s+/g, ' ').trim())
      .find(text => text !== '') ?? '';
  if ([...line].length <= maxLength) return line || 'New conversation';
  const cut = [...line].slice(0, maxLength - 1).join('');
  const space = cut.lastIndexOf(' ');
  return `${(space > maxLength / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

const maxLength = 60;
