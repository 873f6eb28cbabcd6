import { type DemoAnswer, type DemoCall, type DemoStep, type DemoTurn, quotedData } from './demoTurn.ts';

/** What to do for a message that begins with a keyword; undefined when it begins with none. */
export function keywordTask(turn: DemoTurn): DemoAnswer | undefined {
  if (/^slow\b/i.test(turn.prompt)) return { text: slowText, calls: [], isSlow: true };
  const [, word = '', rest = ''] = /^([a-z]+):\s*([\s\S]*)$/i.exec(turn.prompt) ?? [];
  return keywords[word.toLowerCase()]?.(rest.trim(), turn.steps);
}

type Keyword = (rest: string, steps: readonly DemoStep[]) => DemoAnswer;

const keywords: Readonly<Record<string, Keyword>> = {
  say: rest => ({ text: rest === '' ? 'You gave me nothing to say.' : rest, calls: [] }),
  run: (rest, steps) => once(steps, 'I run it.', { name: 'run_command', input: { command: rest } }),
  start: (rest, steps) =>
    once(steps, 'I start it in the background.', {
      name: 'run_command',
      input: { command: rest, background: true },
    }),
  list: (rest, steps) =>
    once(steps, 'I list the files.', { name: 'list_files', input: rest === '' ? {} : { path: rest } }),
  read: (rest, steps) => once(steps, 'I read it.', { name: 'read_file', input: { path: rest } }),
  delete: (rest, steps) => once(steps, 'I delete it.', { name: 'delete_file', input: { path: rest } }),
  plan: (rest, steps) =>
    once(steps, 'This is the plan.', { name: 'update_plan', input: { entries: planEntries(rest) } }),
  write,
  ask,
  tool: (rest, steps) => {
    const [, name = '', json = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
    return once(steps, 'I call it.', { name: name === '' ? 'no_name' : name, input: objectOf(json) });
  },
};

/** One call, then a report of what came back. */
function once(steps: readonly DemoStep[], text: string, call: DemoCall): DemoAnswer {
  const done = steps.at(-1);
  return done === undefined ? { text, calls: [call] } : { text: report(done), calls: [] };
}

function report({ result }: DemoStep): string {
  const data = quotedData(result);
  if (data === result) return result === '' ? 'Nothing came back.' : `The answer was: ${result}`;
  const sentence = result.slice(0, result.indexOf('<data')).trim();
  const shown = data.length > 4_000 ? `…\n${data.slice(-4_000)}` : data;
  // A fence longer than any in the text, so that the text cannot end it.
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${sentence}\n\n${fence}text\n${shown}\n${fence}`;
}

/** A file that exists is read first and then overwritten, as the agent demands. */
function write(rest: string, steps: readonly DemoStep[]): DemoAnswer {
  const [, path = '', text = ''] = /^(\S+)\s?([\s\S]*)$/.exec(rest) ?? [];
  const content = text.endsWith('\n') ? text : `${text}\n`;
  const last = steps.at(-1);
  if (last === undefined)
    return { text: 'I write it.', calls: [{ name: 'create_file', input: { path, content } }] };
  if (last.name === 'read_file' && last.ok) {
    return { text: '', calls: [{ name: 'create_file', input: { path, content, overwrite: true } }] };
  }
  if (steps.length === 1 && !last.ok && last.result.includes('exists already')) {
    return {
      text: 'It exists already, so I read it first.',
      calls: [{ name: 'read_file', input: { path } }],
    };
  }
  return { text: report(last), calls: [] };
}

function ask(rest: string, steps: readonly DemoStep[]): DemoAnswer {
  const [question = '', ...options] = rest.split('|').map(part => part.trim());
  const input = options.length === 0 ? { question } : { question, options };
  return once(steps, '', { name: 'ask_user', input });
}

function planEntries(rest: string): { content: string; status: string; priority: string }[] {
  const steps = rest.split(';').map(step => step.trim());
  return steps
    .filter(step => step !== '')
    .map((content, index) => ({
      content,
      status: index === 0 ? 'in_progress' : 'pending',
      priority: 'medium',
    }));
}

/** Anything that is not an object is passed on under one name, so that the agent's own check is seen at work. */
function objectOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json === '' ? '{}' : json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    return { value };
  } catch {
    return { value: json };
  }
}

/** Minutes of it, at the slow pace. */
const slowText = `I talk slowly, so that you can try **Stop**.\n\n${Array.from({ length: 1_000 }, (_, index) => `${index + 1}`).join(' ')}\n`;
