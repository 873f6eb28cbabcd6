import type { DesiredChange } from './applySteps.ts';
import type { Change, OverlayFolder } from './changeset.ts';

/** What accepting a change whole asks of the user's folder: that it becomes as the overlay has it. */
export function desiredFor({ upper }: OverlayFolder, { path, kind, before, after }: Change): DesiredChange {
  if (!after) return { path, expected: before, desired: { kind: 'nothing' } };
  switch (after.kind) {
    case 'file': {
      const mode = safeMode(after.mode, before);
      if (kind === 'mode') return { path, expected: before, desired: { kind: 'mode', mode } };
      const content = { path, inside: upper, identity: after.stamp.identity };
      return { path, expected: before, desired: { kind: 'file', mode, content } };
    }
    case 'directory':
      return { path, expected: before, desired: { kind: 'directory', mode: safeMode(after.mode, before) } };
    case 'symlink':
      return { path, expected: before, desired: { kind: 'symlink', target: after.target } };
    case 'special':
      throw new TypeError(`Pipes, sockets and devices are not carried over: ${path}`);
  }
}

/** Set-user-id, set-group-id and sticky stay as the user has them: a program that others run as the user is no edit. */
function safeMode(mode: number, before: Change['before']): number {
  const special = before && 'mode' in before ? before.mode & 0o7000 : 0;
  return (mode & 0o777) | special;
}
