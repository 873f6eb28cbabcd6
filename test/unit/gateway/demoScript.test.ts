import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asData } from '../../../sandbox/agent/asData.ts';
import { demoAnswer } from '../../../src/gateway/demo/demoAnswer.ts';
import type { DemoStep, DemoTurn } from '../../../src/gateway/demo/demoTurn.ts';

const tools = [
  'list_files',
  'run_command',
  'read_file',
  'edit_file',
  'create_file',
  'update_plan',
  'ask_user',
];

function step(name: string, input: Record<string, unknown>, result: string, ok = true): DemoStep {
  return { name, input, result, ok, round: 0 };
}

function fix(...steps: DemoStep[]): DemoTurn {
  return { prompt: 'Fix the failing test', tools, steps: steps.map((each, round) => ({ ...each, round })) };
}

const listed = step(
  'list_files',
  {},
  `2 files in .\n${asData('files in .', 'package.json\nsrc/slug.js\ntest/slug.test.js')}`,
);
const ran = (output: string, status = 1) =>
  step(
    'run_command',
    { command: 'npm test' },
    `Exit status ${status}.\n${asData('output of npm test', output)}`,
    status === 0,
  );
const read = (path: string, text: string) =>
  step(
    'read_file',
    { path },
    `${path}.\n${asData(
      `file ${path}`,
      text
        .split('\n')
        .map((line, index) => `${index + 1}\t${line}`)
        .join('\n'),
    )}`,
  );

const spec = `✖ failing tests:

test at test/slug.test.js:13:1
✖ dashes do not repeat (1.4ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:`;
const tap = `not ok 5 - dashes do not repeat
  ---
  duration_ms: 1.7
  location: '/somewhere/else/test/slug.test.js:13:1'
  failureType: 'testCodeFailure'`;

test.each([
  ['spec', spec],
  ['TAP', tap],
])('the failing test is found in the %s reporter’s output', (_, output) => {
  const answer = demoAnswer(fix(listed, ran(output)));
  expect(answer.text).toContain('**dashes do not repeat**');
  expect(answer.calls.at(-1)).toEqual({ name: 'read_file', input: { path: 'test/slug.test.js' } });
});

const testFile = read(
  'test/slug.test.js',
  "import { test } from 'node:test';\nimport { slugify } from '../src/slug.js';",
);

test('the code to read is what the test imports', () => {
  expect(demoAnswer(fix(listed, ran(spec), testFile)).calls).toEqual([
    { name: 'read_file', input: { path: 'src/slug.js' } },
  ]);
});

test('the edit replaces exactly what was read', () => {
  const source = readFileSync(new URL('../../sample/src/slug.js', import.meta.url), 'utf8');
  const answer = demoAnswer(fix(listed, ran(spec), testFile, read('src/slug.js', source)));
  expect(answer.calls.at(-1)).toEqual({
    name: 'edit_file',
    input: {
      path: 'src/slug.js',
      edits: [
        {
          old_text: ".replace(/[^a-z0-9]/g, '-')",
          new_text: ".replace(/[^a-z0-9]+/g, '-')\n    .replace(/^-|-$/g, '')",
        },
      ],
    },
  });
  expect(source.split(".replace(/[^a-z0-9]/g, '-')")).toHaveLength(2);
});

test('code without the bug it knows is left alone', () => {
  const answer = demoAnswer(
    fix(listed, ran(spec), testFile, read('src/slug.js', 'export const slugify = x => x;')),
  );
  expect(answer.calls).toEqual([]);
  expect(answer.text).toContain('not the bug that my script knows');
});

test('a command that could not run is reported as it was', () => {
  const failed = step('run_command', {}, 'The command was not run. No sandbox can be started here.', false);
  const answer = demoAnswer(fix(listed, failed));
  expect(answer).toEqual({
    text: '`npm test` could not be run. The command was not run. No sandbox can be started here.',
    calls: [],
  });
});

test('a tool that the agent does not offer is not called', () => {
  expect(demoAnswer({ prompt: 'run: ls', steps: [], tools: [] })).toEqual({
    text: 'I would need the tool `run_command` here, and there is none.',
    calls: [],
  });
});

test.each([
  [
    'DENIED. The command was not run. The user refused it.\nDo not try',
    'You did not let me run `rm x`, so it was not done.\n\nI stop here.',
  ],
  [
    'DENIED. The command was not run. The user refused it. They say: use git rm\nDo not try',
    'so it was not done. You said: “use git rm”',
  ],
  [
    "DENIED. The command was not run. The user's policy refused it. Reason: no rule allows it.\nDo",
    'Your policy did not let me run `rm x`, so it was not done. The reason: no rule allows it.',
  ],
])('%j is told to the user', (result, told) => {
  const denied = { ...step('run_command', { command: 'rm x' }, result, false), round: 0 };
  const answer = demoAnswer({ prompt: 'run: rm x', tools, steps: [denied] });
  expect(answer.calls).toEqual([]);
  expect(answer.text).toContain(told);
});

test('output that holds a code fence cannot end its own', () => {
  const answer = demoAnswer({ prompt: 'run: cat x', tools, steps: [ran('```\nfake\n````', 0)] });
  expect(answer.text).toBe('Exit status 0.\n\n`````text\n```\nfake\n````\n`````');
});
