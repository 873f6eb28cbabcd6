import { expect, test } from 'vitest';
import { refusalsOf } from '../../../../src/session/commands/refusals.ts';

test('each wall is told in words for the user, with what would lift it, and in a sentence for the agent', () => {
  const { denials, notes } = refusalsOf(undefined, [
    { kind: 'network', host: 'docs.example.com' },
    { kind: 'network', host: 'git.example.com', port: 22 },
    { kind: 'network', host: 'intranet' },
    { kind: 'secretFile', path: '/w/.env' },
    { kind: 'limit', setting: 'cordon.limits.memory' },
    { kind: 'protectedPath', path: '/w/.git/config', because: 'can make git run a program' },
    { kind: 'outside', path: '/data/a.csv', access: 'read' },
    { kind: 'writeFolder', path: '/w/a', folder: '/w' },
  ]);
  expect(denials).toEqual([
    {
      kind: 'host',
      host: 'docs.example.com',
      grant: 'docs.example.com',
      words: 'It had no way to docs.example.com.',
    },
    {
      kind: 'host',
      host: 'git.example.com',
      port: 22,
      grant: 'git.example.com:22',
      words: 'It had no way to git.example.com:22.',
    },
    // No full name, so nothing that could be allowed.
    { kind: 'host', host: 'intranet', words: 'It had no way to intranet.' },
    {
      kind: 'secretFile',
      path: '/w/.env',
      words: '/w/.env is hidden from commands, because it looks like a secret.',
    },
    {
      kind: 'limit',
      setting: 'cordon.limits.memory',
      words: 'It reached the limit “cordon.limits.memory”.',
    },
    {
      kind: 'protectedPath',
      path: '/w/.git/config',
      words:
        "No command changes /w/.git/config, because it can make git run a program. The agent's file tools can, and ask you.",
    },
    {
      kind: 'outside',
      path: '/data/a.csv',
      access: 'read',
      words: '/data/a.csv is outside of the workspace, so commands do not see it.',
    },
  ]);
  expect(notes.length).toBe(7);
});

test('what the proxy knows of a host stands above what the command printed', () => {
  const known = { kind: 'host', host: 'docs.example.com', port: 443, words: 'You said no.' } as const;
  const { denials, notes } = refusalsOf({ connections: [], denials: [known], notes: ['The user said no.'] }, [
    { kind: 'network', host: 'docs.example.com' },
  ]);
  expect({ denials, notes }).toEqual({ denials: [known], notes: ['The user said no.'] });
});

test('the limit that ended a command is offered once, by the setting that its sentence names', () => {
  const sentence = 'It was ended because it ran more than 64 processes (setting "cordon.limits.processes").';
  const { denials } = refusalsOf(
    undefined,
    [{ kind: 'limit', setting: 'cordon.limits.processes' }],
    sentence,
  );
  expect(denials).toEqual([{ kind: 'limit', setting: 'cordon.limits.processes', words: sentence }]);
});
