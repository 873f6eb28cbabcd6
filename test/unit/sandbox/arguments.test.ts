import { describe, expect, test } from 'vitest';
import { parseSandboxArguments } from '../../../src/cli/sandboxArguments.ts';

const parse = (line: string) => parseSandboxArguments(line.split(' '));

describe('cordon sandbox', () => {
  test('takes the current folder and a copy-on-write view when nothing is said', () => {
    expect(parse('-- ls -la')).toEqual({
      kind: 'right',
      workspaces: [],
      allowWrite: [],
      allowDomains: [],
      view: 'overlay',
      command: ['ls', '-la'],
    });
  });

  test('takes options in both spellings, and leaves the words of the command alone', () => {
    expect(
      parse(
        '--workspace a --workspace=b --allow-write c --allow-domain example.com:8443 --session my.one -- x --direct -- y',
      ),
    ).toEqual({
      kind: 'right',
      workspaces: ['a', 'b'],
      allowWrite: ['c'],
      allowDomains: [{ host: 'example.com', port: 8443 }],
      view: 'overlay',
      session: 'my.one',
      command: ['x', '--direct', '--', 'y'],
    });
  });

  test.each([
    ['--direct', 'direct'],
    ['--read-only', 'readOnly'],
  ])('%s', (option, view) => {
    expect(parse(`${option} -- true`)).toMatchObject({ view });
  });

  test('takes the backend for this once', () => {
    expect(parse('--backend podman -- true')).toMatchObject({ backend: 'podman' });
  });

  test.each([
    ['no command', '--direct'],
    ['an empty command', '--'],
    ['an unknown option', '--frobnicate -- true'],
    ['a command without --', 'ls'],
    ['an option without its value', '--workspace -- true'],
    ['a backend that is not there', '--backend docker -- true'],
    ['two views that contradict', '--direct --read-only -- true'],
    ['a session that is not copy-on-write', '--session a --direct -- true'],
    ['a session name that is a path', '--session ../x -- true'],
    ['a whole top-level domain', '--allow-domain com -- true'],
    ['a wildcard', '--allow-domain *.example.com -- true'],
  ])('refuses %s', (_, line) => {
    expect(parse(line)).toEqual({ kind: 'wrong', message: expect.any(String) });
  });
});
