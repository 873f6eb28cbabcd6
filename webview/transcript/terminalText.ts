import Anser from 'anser';

/** A run of terminal output in one style; `classes` are `ansi-…` names for the style sheet. */
export interface Run {
  readonly text: string;
  readonly classes: string;
}

/**
 * Terminal output as styled runs. Colours and weights become classes; every other escape sequence and control
 * character is dropped, and a line that was rewritten with carriage returns shows what it ended as.
 */
export function terminalRuns(output: string): Run[] {
  const runs: Run[] = [];
  for (const entry of Anser.ansiToJson(plain(output), {
    use_classes: true,
    json: true,
    remove_empty: true,
  })) {
    const text = entry.content.replace(controls, '');
    if (text !== '') runs.push({ text, classes: classesOf(entry) });
  }
  return runs;
}

// Operating system commands and other strings (titles, links), then every sequence that is not a colour.
const strings = /\u001B[\]P^_X][\s\S]{0,4096}?(?:\u0007|\u001B\\)/g;
const otherSequences = /\u001B(?:\[(?![\d;:]*m)[\d;:<=>?]*[ -/]*[@-~]|[ -/]+[0-~]|[0-Z\\^-~])/g;
// What is left that draws nothing, or draws in another direction than it reads.
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u061C\u202A-\u202E\u2066-\u2069]/g;

function plain(output: string): string {
  return output
    .replace(strings, '')
    .replace(otherSequences, '')
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map(line => line.replace(/\r+$/, '').split('\r').at(-1) ?? '')
    .join('\n');
}

function classesOf(entry: Anser.AnserJsonEntry): string {
  const names = [
    ...(/^ansi-[a-z-]+$/.test(entry.fg) ? [entry.fg] : []),
    ...(/^ansi-[a-z-]+$/.test(entry.bg) ? [`${entry.bg}-bg`] : []),
    ...entry.decorations.map(name => `ansi-${name}`),
  ];
  return names.join(' ');
}
