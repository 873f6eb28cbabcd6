import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Workspace } from './workspace.ts';

// The policy as a specification: lists of lines under headings, in `lines/`. `⏎` stands for a line break. They are
// decided in a small project with secrets and links in it, with no rules at all.

const workspace = new Workspace();
const { policy } = workspace.policy();
afterAll(() => workspace[Symbol.dispose]());

const decisionOf = (command: string) => policy.decide({ command, cwd: workspace.folder });

describe.each(sections('allowed'))('allowed without a question: %s', (_heading, lines) => {
  test.each(lines)('%s', line => {
    expect(decisionOf(line)).toMatchObject({ decision: 'allow' });
  });
});

describe.each(sections('asked'))('never allowed: %s', (_heading, lines) => {
  test.each(lines)('%s', line => {
    expect(decisionOf(line).decision).not.toBe('allow');
  });
});

describe.each(sections('denied'))('denied whatever the rules say: %s', (_heading, lines) => {
  const all = workspace.policy({
    settings: [
      {
        source: 'user',
        value: { 'rm **': 'allow', 'sudo **': 'allow', 'bash **': 'allow', 'dd **': 'allow' },
      },
    ],
    mode: { kind: 'sandboxed', asks: 'leaving' },
  });
  test.each(lines)('%s', line => {
    expect(decisionOf(line)).toMatchObject({ decision: 'deny' });
    expect(all.policy.decide({ command: line, cwd: workspace.folder })).toMatchObject({ decision: 'deny' });
  });
});

describe.each(sections('notDenied'))('asked but not denied: %s', (_heading, lines) => {
  test.each(lines)('%s', line => {
    expect(decisionOf(line)).toMatchObject({ decision: 'ask' });
  });
});

test('the lists are as long as they are thought to be', () => {
  const count = (name: string) => sections(name).reduce((sum, [, lines]) => sum + lines.length, 0);
  expect(count('allowed')).toBeGreaterThan(370);
  expect(count('asked')).toBeGreaterThan(1_300);
  expect(count('denied')).toBeGreaterThan(340);
});

function sections(name: string): [string, string[]][] {
  const text = readFileSync(join(import.meta.dirname, 'lines', `${name}.txt`), 'utf8');
  const found: [string, string[]][] = [];
  for (const line of text.split('\n')) {
    if (/^# [A-Z]/.test(line)) found.push([line.slice(2), []]);
    else if (line !== '') found.at(-1)?.[1].push(line.replaceAll('⏎', '\n'));
  }
  return found;
}
