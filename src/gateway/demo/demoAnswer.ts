import type { DemoAnswer, DemoStep, DemoTurn } from './demoTurn.ts';
import { fixTask } from './fixTask.ts';
import { keywordTask } from './keywordTask.ts';

/** What the demonstration says and does next. Decides by the turn alone; the same turn gives the same answer. */
export function demoAnswer(turn: DemoTurn): DemoAnswer {
  const last = turn.steps.at(-1)?.round;
  const denied = turn.steps.find(step => step.round === last && step.result.startsWith('DENIED.'));
  if (denied !== undefined) return { text: deniedText(denied), calls: [] };
  const answer =
    keywordTask(turn) ?? (isFixTask(turn.prompt) ? fixTask(turn) : { text: greeting, calls: [] });
  const missing = answer.calls.filter(
    call => !turn.tools.includes(call.name) && !/^tool:/i.test(turn.prompt),
  );
  if (missing.length === 0) return answer;
  return {
    text: `I would need the tool ${missing.map(call => `\`${call.name}\``).join(', ')} here, and there is none.`,
    calls: [],
  };
}

function isFixTask(prompt: string): boolean {
  return /\b(fix|repair|mend|solve)\b|\bfailing test|\bmake .*\btests? pass/i.test(prompt);
}

/** The agent's words for a refusal, turned round. */
function deniedText(step: DemoStep): string {
  const command = step.input['command'];
  const deed = typeof command === 'string' ? `run \`${command}\`` : `do that (\`${step.name}\`)`;
  const [, who = 'The user', words = ''] =
    /(The user's policy|The user|The sandbox) refused it\.(?: (?:They say|Reason): ([^\n]*))?/.exec(
      step.result,
    ) ?? [];
  const subject = who === 'The user' ? 'You' : who === 'The sandbox' ? who : 'Your policy';
  const said = words === '' ? '' : who === 'The user' ? ` You said: “${words}”` : ` The reason: ${words}`;
  return `${subject} did not let me ${deed}, so it was not done.${said}\n\nI stop here. Tell me how to go on.`;
}

const greeting = `I am a demonstration: a **script, not a language model**. Everything around me is real (the sandbox, the approvals, the files), but I only know a few tricks.

Ask me to **fix the failing test** of the sample project, or begin a message with one of these:

| Message | What I do |
| --- | --- |
| \`run: COMMAND\` | run a command; you are asked first, unless a rule allows it |
| \`start: COMMAND\` | the same in the background |
| \`list: FOLDER\` | list files |
| \`read: PATH\` | read a file |
| \`write: PATH TEXT\` | write a file |
| \`delete: PATH\` | delete a file |
| \`ask: QUESTION\` or \`ask: QUESTION \\| A \\| B\` | ask you something |
| \`plan: STEP; STEP\` | show a plan |
| \`say: TEXT\` | say it back, as Markdown |
| \`tool: NAME {"json": "arguments"}\` | call any tool, even one that does not exist |
| \`slow\` | talk for minutes, so that you can try **Stop** |

For real work, choose a model: Anthropic, any OpenAI-compatible service, or VS Code's own.
`;
