import type { Command, Word } from 'unbash';

/** The words of a command when all are written out; undefined when any is not. For recognising disguises only. */
export function literalCommand(command: Command): string[] | undefined {
  if (command.name === undefined) return undefined;
  const words: string[] = [];
  for (const word of [command.name, ...command.args]) {
    if (word.type !== 'Word' || !isWritten(word)) return undefined;
    words.push(word.value);
  }
  return words;
}

function isWritten(word: Word): boolean {
  return (
    word.parts === undefined ||
    word.parts.every(
      part =>
        part.type === 'Literal' ||
        part.type === 'SingleQuoted' ||
        part.type === 'AnsiCQuoted' ||
        part.type === 'Glob' ||
        (part.type === 'DoubleQuoted' && part.parts.every(child => child.type === 'Literal')),
    )
  );
}
