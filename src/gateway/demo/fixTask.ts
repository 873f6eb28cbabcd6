import { posix } from 'node:path';
import {
  type DemoAnswer,
  type DemoCall,
  type DemoStep,
  type DemoTurn,
  fileText,
  quotedData,
} from './demoTurn.ts';

/**
 * The demonstration's one piece of work: run the tests of a Node project, find the test that fails and the code it
 * tests, and mend the one kind of bug it knows. Every step is decided by what the tools answered; where they show
 * something else, it says so and stops.
 */
export function fixTask({ steps }: DemoTurn): DemoAnswer {
  const list = steps.find(step => step.name === 'list_files');
  const runs = steps.filter(step => step.name === 'run_command');
  const [firstRun, secondRun] = runs;
  const reads = steps.filter(step => step.name === 'read_file');
  const edit = steps.find(step => step.name === 'edit_file');

  if (list === undefined) return look();
  if (firstRun === undefined) return list.result.includes('package.json') ? runTests() : stop(noPackage);
  const failure = failureOf(firstRun, list);
  if (typeof failure === 'string') return stop(failure);
  if (reads.length === 0) return readTest(failure);
  const [test, ...sources] = reads;
  if (sources.length === 0) return test === undefined ? stop(noSource) : readSources(test);
  const change = sources.map(source => changeOf(source)).find(found => found !== undefined);
  if (change === undefined) return stop(unknownBug(sources));
  if (edit === undefined) return makeChange(change);
  if (!edit.ok) return stop(`The change was not made. ${edit.result}`);
  if (secondRun === undefined) return runAgain();
  if (exitStatus(secondRun) !== 0)
    return stop(`The change is in, but \`${testCommand}\` does not pass:\n\n${tailOf(secondRun)}`);
  if (steps.at(-1) === secondRun) return { text: '', calls: [plan(planSteps.length)] };
  return stop(summary(failure, change, secondRun));
}

const testCommand = 'npm test';
const planSteps = [
  'Look at the project',
  'Run the tests',
  'Read the failing test and its code',
  'Fix the code',
  'Run the tests again',
];

function look(): DemoAnswer {
  return {
    text: 'I look at the project, run its tests, and fix what fails.\n',
    calls: [plan(0), { name: 'list_files', input: {} }],
  };
}

function runTests(): DemoAnswer {
  return {
    text: 'This is a Node project. I run its tests to see what fails.\n',
    calls: [plan(1), { name: 'run_command', input: { command: testCommand } }],
  };
}

function readTest({ name, file }: Failure): DemoAnswer {
  return {
    text: `This test fails: **${name}**. I read it in \`${file}\`.\n`,
    calls: [plan(2), { name: 'read_file', input: { path: file } }],
  };
}

/** The modules of the project's own that the test imports. */
function readSources(test: DemoStep): DemoAnswer {
  const path = String(test.input['path']);
  const imports = [...fileText(test.result).matchAll(/from '(\.{1,2}\/[^'\n]+)'/g)].map(
    ([, found = '']) => found,
  );
  const files = [...new Set(imports.map(found => posix.join(posix.dirname(path), found)))].slice(0, 3);
  if (files.length === 0) return stop(noSource);
  const names = files.map(file => `\`${file}\``).join(', ');
  return {
    text: `It tests ${names}, so I read that next.\n`,
    calls: files.map(file => ({ name: 'read_file', input: { path: file } })),
  };
}

function makeChange(change: Change): DemoAnswer {
  const { path, oldText, newText } = change;
  return {
    text: `I see it in \`${path}\`: each odd character becomes a dash by itself, so dashes repeat, and those at the ends stay. I replace runs of them by one dash and take off the ends.\n`,
    calls: [
      plan(3),
      { name: 'edit_file', input: { path, edits: [{ old_text: oldText, new_text: newText }] } },
    ],
  };
}

function runAgain(): DemoAnswer {
  return {
    text: 'Now the tests again.\n',
    calls: [plan(4), { name: 'run_command', input: { command: testCommand } }],
  };
}

/** The plan with so many steps done. */
function plan(done: number): DemoCall {
  const entries = planSteps.map((content, index) => {
    const status = index < done ? 'completed' : index === done ? 'in_progress' : 'pending';
    return { content, status, priority: 'medium' };
  });
  return { name: 'update_plan', input: { entries } };
}

interface Failure {
  readonly name: string;
  /** As list_files names it. */
  readonly file: string;
}

/** The first failing test, or the sentence to stop with. Understands both reporters of `node --test`. */
function failureOf(run: DemoStep, list: DemoStep): Failure | string {
  const status = exitStatus(run);
  if (status === undefined) return `\`${testCommand}\` could not be run. ${run.result}`;
  if (status === 0) return `All tests pass already; there is nothing to fix.\n\n${tailOf(run)}`;
  const output = quotedData(run.result);
  const place =
    /^\s*test at (.+?):\d+:\d+\s*$/m.exec(output)?.[1] ?? /^\s*location: '(.+?):\d+:\d+'/m.exec(output)?.[1];
  const files = quotedData(list.result).split('\n');
  const file = files.find(line => line !== '' && (place === line || place?.endsWith(`/${line}`) === true));
  if (place === undefined || file === undefined) {
    return `\`${testCommand}\` fails, but I cannot tell which test it is. I am a script and know little more than the sample project.\n\n${tailOf(run)}`;
  }
  const after = output.slice(output.indexOf(place));
  const name =
    /✖ (.+?)(?: \([\d.]+ms\))?$/m.exec(after)?.[1] ?? /^\s*not ok \d+ - (.+)$/m.exec(output)?.[1] ?? file;
  return { name, file };
}

interface Change {
  readonly path: string;
  readonly oldText: string;
  readonly newText: string;
}

/** The bug it knows: a character class that is replaced one by one by a dash, in a chain of calls. */
function changeOf(source: DemoStep): Change | undefined {
  const found = /^([ \t]*)\.replace\(\/(\[\^[^\]\n]+\])\/([a-z]*), '-'\)/m.exec(fileText(source.result));
  if (found === null || !source.ok) return undefined;
  const [whole, indent = '', characters = '', flags = ''] = found;
  const oldText = whole.trimStart();
  const newText = `.replace(/${characters}+/${flags}, '-')\n${indent}.replace(/^-|-$/g, '')`;
  return { path: String(source.input['path']), oldText, newText };
}

function summary({ name, file }: Failure, { path, oldText, newText }: Change, run: DemoStep): string {
  const count = /(?:ℹ|#) pass (\d+)/.exec(run.result)?.[1];
  const passing = count === undefined ? 'The tests pass now' : `All **${count} tests pass** now`;
  const lines = (text: string, sign: string) =>
    text
      .split('\n')
      .map(line => `${sign} ${line.trim()}`)
      .join('\n');
  return `${passing}. Before, one failed: *${name}* (\`${file}\`).

**What was wrong.** In \`${path}\` every odd character became a dash of its own, so dashes repeated, and those at the beginning and the end stayed.

**What I changed**

\`\`\`diff
${lines(oldText, '-')}
${lines(newText, '+')}
\`\`\`

I did not touch the test. *(This was the scripted demonstration; choose a model for real work.)*
`;
}

function exitStatus({ result }: DemoStep): number | undefined {
  const status = /^Exit status (\d+)/.exec(result)?.[1];
  return status === undefined ? undefined : Number(status);
}

function tailOf({ result }: DemoStep): string {
  return `\`\`\`text\n${quotedData(result).trimEnd().split('\n').slice(-15).join('\n').replaceAll('```', "'''")}\n\`\`\``;
}

function stop(text: string): DemoAnswer {
  return { text, calls: [] };
}

const noPackage =
  'I see no `package.json` here. I am a script and only know Node projects whose tests run with `npm test`; choose a model for anything else.';
const noSource =
  'The failing test imports no file of the project, so I do not know where to look. I am a script; choose a model for this.';

function unknownBug(sources: readonly DemoStep[]): string {
  const names = sources.map(source => `\`${String(source.input['path'])}\``).join(', ');
  return `I read ${names}, but this is not the bug that my script knows, so I leave it alone. Choose a model for this.`;
}
