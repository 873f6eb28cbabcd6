import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { literal, textAt } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import { isHarmlessForCommand } from '../shell/variables.ts';
import { notOnlyReading } from '../tools/notOnlyReading.ts';
import { rewrap } from './wrapper.ts';
import type { Unwrap, Unwrapped } from './wrapper.ts';

/** A wrapper's own options before the command: those alone, and those with a value of a certain form. */
interface Prefix {
  readonly alone: RegExp;
  readonly withValue?: Readonly<Record<string, RegExp>>;
  /** Operands of its own before the command. */
  readonly operands?: readonly RegExp[];
}

const prefixes: Readonly<Record<string, Prefix>> = {
  timeout: {
    alone:
      /^(?:--preserve-status|--foreground|-v|--verbose|-s[A-Z0-9]+|-k[\d.]+[smhd]?|--signal=[A-Z0-9]+|--kill-after=[\d.]+[smhd]?)$/,
    withValue: {
      '-s': /^[A-Z0-9]+$/,
      '-k': /^[\d.]+[smhd]?$/,
      '--signal': /^[A-Z0-9]+$/,
      '--kill-after': /^[\d.]+[smhd]?$/,
    },
    operands: [/^[\d.]+[smhd]?$/],
  },
  gtimeout: { alone: /^--preserve-status$/, operands: [/^[\d.]+[smhd]?$/] },
  nice: { alone: /^(?:-\d+|-n-?\d+|--adjustment=-?\d+)$/, withValue: { '-n': /^-?\d+$/ } },
  nohup: { alone: /^$/ },
  stdbuf: {
    alone: /^(?:-[ioe](?:[0L]|\d+[KMG]?)|--(?:input|output|error)=(?:[0L]|\d+[KMG]?))$/,
    withValue: { '-i': /^(?:[0L]|\d+[KMG]?)$/, '-o': /^(?:[0L]|\d+[KMG]?)$/, '-e': /^(?:[0L]|\d+[KMG]?)$/ },
  },
  ionice: { alone: /^-c\d$/, withValue: { '-c': /^\d$/, '-n': /^\d$/ } },
  time: { alone: /^(?:-p|-v|--portability|--verbose)$/ },
  command: { alone: /^-p$/ },
  builtin: { alone: /^$/ },
  exec: { alone: /^$/ },
};

/** Wrappers that only run what follows them: `timeout`, `nice`, `nohup`… */
export const unwrapPrefix: Unwrap = command => {
  const name = plainName(command.words[0]);
  const prefix = name === undefined ? undefined : prefixes[name];
  if (prefix === undefined || name === undefined) return undefined;
  const { words } = command;
  // `command -v` tells where a command is; the table of builtins knows it as `type`.
  if (name === 'command' && /^-[vV]$/.test((words[1] && literal(words[1])) ?? ''))
    return lookup(command.words.slice(2), command.span);
  let at = 1;
  for (let text = textAt(words, at); text?.startsWith('-'); text = textAt(words, at)) {
    if (text === '--') {
      at += 1;
      break;
    }
    const value = prefix.withValue?.[text];
    if (value?.test(textAt(words, at + 1) ?? '')) at += 2;
    else if (prefix.alone.test(text)) at += 1;
    else
      return {
        findings: [notOnlyReading(words[at]?.span ?? command.span, name, at)],
        commands: [rewrap(command, words.slice(at + 1))].filter(inner => inner.words.length > 0),
      };
  }
  for (const operand of prefix.operands ?? []) {
    if (!operand.test(textAt(words, at) ?? ''))
      return { findings: [notOnlyReading(command.span, name)], commands: [] };
    at += 1;
  }
  const rest = words.slice(at);
  if (rest.length === 0)
    return { findings: name === 'nice' ? [] : [notOnlyReading(command.span, name)], commands: [] };
  if (name === 'exec' || name === 'builtin') {
    const inner = rest[0] && literal(rest[0]);
    if (inner?.startsWith('-')) return { findings: [notOnlyReading(command.span, name)], commands: [] };
  }
  return { findings: [], commands: [rewrap(command, rest)] };
};

/** `env`: variables for one command. Alone it prints the whole environment. */
export const unwrapEnv: Unwrap = command => {
  if (plainName(command.words[0]) !== 'env') return undefined;
  const { words } = command;
  const findings: Finding[] = [];
  let at = 1;
  for (; at < words.length; at++) {
    const field = words[at];
    const text = field && literal(field);
    if (field === undefined) break;
    if (text === undefined) {
      const start = field.pieces[0]?.kind === 'text' ? field.pieces[0].text : '';
      if (!/^[A-Za-z_]\w*=/.test(start)) break;
      findings.push(
        asking('variable.dangerous', 'Setting this variable may change what programs do.', field.span, {
          word: at,
          risk: 50,
          cure: 'person',
        }),
      );
      continue;
    }
    if (text === '-i' || text === '-' || text === '--ignore-environment' || text === '--') continue;
    if (text === '-u' || text === '--unset') {
      at += 1;
      continue;
    }
    if (/^--unset=\w+$/.test(text)) continue;
    const [, name, value] = /^([A-Za-z_]\w*)=([^]*)$/.exec(text) ?? [];
    if (name !== undefined) {
      if (!isHarmlessForCommand(name, value))
        findings.push(
          asking('variable.dangerous', `Setting \`${name}\` may change what programs do.`, field.span, {
            word: at,
            risk: 50,
            cure: 'person',
          }),
        );
      continue;
    }
    if (!text.startsWith('-')) break;
    findings.push(notOnlyReading(field.span, 'env', at));
  }
  const rest = words.slice(at);
  if (rest.length === 0)
    return {
      findings: [
        ...findings,
        asking('secret.environment', 'The environment may hold secrets.', command.span, {
          risk: 50,
          cure: 'word',
          word: 0,
        }),
      ],
      commands: [],
    };
  return { findings, commands: [rewrap(command, rest)] };
};

/** `git -C folder …` and switches before the subcommand; `-c` sets what can run programs, and is asked. */
export const unwrapGit: Unwrap = (command, context) => {
  if (plainName(command.words[0]) !== 'git') return undefined;
  const { words } = command;
  let folders = command.folders;
  const findings: Finding[] = [];
  let at = 1;
  for (let text = textAt(words, at); text?.startsWith('-'); text = textAt(words, at)) {
    if (text === '--version') break;
    if (
      /^(?:--no-pager|-P|--no-optional-locks|--literal-pathspecs|--glob-pathspecs|--noglob-pathspecs|--icase-pathspecs|--no-replace-objects|--no-lazy-fetch)$/.test(
        text,
      )
    ) {
      at += 1;
      continue;
    }
    const folder = words[at + 1];
    if (text === '-C' && folder !== undefined) {
      const moved = context.enter(folder, folders);
      findings.push(...moved.findings);
      folders = moved.folders;
      at += 2;
      continue;
    }
    const takesValue =
      /^(?:-c|--git-dir|--work-tree|--namespace|--exec-path|--config-env|--super-prefix|--attr-source)$/.test(
        text,
      );
    findings.push(
      asking(
        'tool.dangerousOption',
        `\`git ${text}\` can make git run other programs or work elsewhere.`,
        words[at]?.span ?? command.span,
        { word: at, risk: 60, cure: 'word' },
      ),
    );
    at += takesValue ? 2 : 1;
  }
  if (at === 1) return undefined;
  const [git] = words;
  const rest = words.slice(at);
  if (git === undefined || rest.length === 0)
    return { findings: [...findings, notOnlyReading(command.span, 'git')], commands: [] };
  return { findings, commands: [rewrap(command, [git, ...rest], { folders, span: command.span })] };
};

/** The name of a command without a system folder before it. */
export function plainName(field: Field | undefined): string | undefined {
  return field && literal(field)?.replace(/^\/(?:usr\/)?bin\//, '');
}

function lookup(names: readonly Field[], span: Finding['span']): Unwrapped {
  const plain = names.length > 0 && names.every(name => /^[\w.+-]+$/.test(literal(name) ?? ''));
  return { findings: plain ? [] : [notOnlyReading(span, 'command')], commands: [] };
}
