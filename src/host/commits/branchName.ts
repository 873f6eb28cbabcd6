/** A name for a branch after a conversation's title: the first that is free. */
export async function branchNameFor(
  title: string,
  isFree: (name: string) => Promise<boolean>,
): Promise<string> {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  const name = `cordon/${(words ?? ['work']).join('-').slice(0, 40).replace(/-$/, '')}`;
  for (let count = 1; count < 100; count++) {
    const numbered = count === 1 ? name : `${name}-${count}`;
    if (await isFree(numbered)) return numbered;
  }
  return '';
}
