import type { SandboxFacts } from './facts.ts';
import type { LaunchRequest } from './sandbox.ts';

/**
 * Whether a command can be told to a shell that waits inside, instead of being an argument of Bubblewrap: Bubblewrap
 * can then be started before there is a command, and the shell sets the limit that only counts inside, where one more
 * program would have to be run for it.
 */
export function takesScript(request: LaunchRequest, facts: Pick<SandboxFacts, 'shell'>): boolean {
  return (
    facts.shell !== undefined &&
    request.view === 'system' &&
    request.stdin === 'ignore' &&
    request.output !== 'inherit' &&
    (request.descriptors ?? []).length === 0 &&
    // A shell would take it for an option of its own.
    !request.argv[0].startsWith('-') &&
    // A shell drops what it could not name itself.
    Object.keys(request.environment ?? {}).every(name => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  );
}

/**
 * What a POSIX shell reads on its standard input to become this program. It may have so many `processes`; where
 * that limit cannot be set, nothing runs. Pure.
 */
export function commandScript(argv: readonly string[], processes: number): string {
  return [
    // Shells do not agree on the letter, nor on which of the two limits is meant. A wrong letter changes nothing.
    `${limit('u', processes)} 2>/dev/null || ${limit('p', processes)} || exit 126`,
    `exec ${argv.map(quoted).join(' ')} </dev/null`,
    '',
  ].join('\n');
}

function limit(letter: string, most: number): string {
  return `{ ulimit -S${letter} ${most} && ulimit -H${letter} ${most}; }`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
