import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CreateTerminal } from '../../../../src/session/agent/agentMessages.ts';

const asked = {
  sessionId: 's',
  command: 'ls -la | head',
  _meta: { cordon: { toolCallId: 't', background: false } },
};

test('a line without arguments stays as it was written', () => {
  expect(CreateTerminal.parse(asked).command).toBe('ls -la | head');
  expect(CreateTerminal.parse({ ...asked, args: [] }).command).toBe('ls -la | head');
});

test('a program with arguments becomes a line that bash reads back as exactly them', () => {
  const argument = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(text => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 6 }), args => {
      const { command } = CreateTerminal.parse({ ...asked, command: 'printf', args: ['%s\\0', ...args] });
      const output = execFileSync('/bin/bash', ['--noprofile', '--norc', '-c', command], {
        encoding: 'utf8',
      });
      expect(output.split('\0').slice(0, -1)).toEqual(args);
    }),
    { numRuns: 60, seed: 7 },
  );
});

test('variables of the agent and a line too long for the kernel are refused', () => {
  expect(CreateTerminal.safeParse({ ...asked, env: [{ name: 'A', value: 'b' }] }).success).toBe(false);
  expect(CreateTerminal.safeParse({ ...asked, command: 'x'.repeat(100_001) }).success).toBe(false);
});
