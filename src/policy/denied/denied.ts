import type { ParsedScript } from 'unbash';
import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { namePattern } from '../paths/globs.ts';
import { guessWords, literal } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { baseName } from './baseName.ts';
import { blockDeviceCommand } from './blockDevices.ts';
import { codeStrings, shellTexts } from './disguises.ts';
import { forkBombs, forkBombText } from './forkBomb.ts';
import { removal } from './removal.ts';
import { shutdown } from './shutdown.ts';
import { systemFileCommand } from './systemFiles.ts';

/** What is denied whatever the rules say; one check per file. */
export type DenyCheck = (
  words: readonly string[],
  facts: { readonly command: SimpleCommand; readonly context: JudgeContext },
) => Finding | undefined;

const checks: readonly DenyCheck[] = [removal, blockDeviceCommand, systemFileCommand, shutdown];

/** Of one command so many words are looked at, and a wrapped command is sought in so many places. */
const maxWords = 400;
const maxPlaces = 10;

/** Texts inside texts are looked through this deep. */
const maxDepth = 4;

/**
 * Looks through disguises (wrappers, nested shells, constant substitutions) for what must be denied. It works on a
 * best guess of the words: it only ever says no.
 */
export function denyCommand(command: SimpleCommand, context: JudgeContext, depth = 0): Finding[] {
  const words = guessWords(command.words.slice(0, maxWords)).filter(
    (word, index) => word !== '' || index > 0,
  );
  const findings: Finding[] = [];
  const argvs = possibleCommands(words);
  for (const argv of argvs) {
    for (const check of checks) {
      const finding = check(argv, { command, context });
      if (finding) findings.push(finding);
    }
  }
  if (findings.length > 0 || depth >= maxDepth) return findings;
  for (const text of [
    ...argvs.flatMap(argv => shellTexts(argv, command.input)),
    ...streamTexts(command),
    ...argvs.flatMap(argv => writtenTexts(argv, command)),
  ])
    findings.push(...denyText(text, command, context, depth));
  for (const text of argvs.flatMap(argv => codeStrings(argv, command.input))) {
    const bomb = forkBombText(text, command.span);
    if (bomb) findings.push(bomb);
    findings.push(...denyText(text, command, context, depth));
  }
  return findings;
}

/** What must be denied in the shape of a line: functions and loops that multiply. */
export function denyLine(text: string, tree: ParsedScript | undefined): Finding[] {
  const found = tree === undefined ? [] : forkBombs(tree);
  if (found.length > 0 || (tree !== undefined && (tree.errors?.length ?? 0) === 0)) return found;
  const bomb = forkBombText(text, [0, text.length]);
  return bomb ? [bomb] : [];
}

function denyText(text: string, command: SimpleCommand, context: JudgeContext, depth: number): Finding[] {
  const line = context.readLine(text, command.span, command.folders, command.input);
  return [
    ...line.findings.filter(finding => finding.verdict === 'deny'),
    ...denyLine(text, line.tree).map(finding => ({ ...finding, span: command.span })),
    ...line.commands.flatMap(inner => denyCommand(inner, context, depth + 1)),
  ];
}

/** Process substitutions that a shell would read its commands from. */
function streamTexts(command: SimpleCommand): string[] {
  if (!command.words.some(word => /^(?:source|\.|(?:ba|z|k|da)?sh)$/.test(baseName(literal(word) ?? ''))))
    return [];
  const pieces = command.words.flatMap(word => word.pieces);
  return pieces.flatMap(piece => (piece.kind === 'stream' && piece.text !== undefined ? [piece.text] : []));
}

/** What the line itself wrote into the file that a shell is now told to run. */
function writtenTexts([name = '', ...rest]: readonly string[], { written }: SimpleCommand): string[] {
  if (written === undefined) return [];
  const runs = /^(?:source|\.|(?:ba|z|k|mk|da|a)?sh|busybox)$/.test(baseName(name));
  const files = runs ? rest.filter(word => !word.startsWith('-')) : [name];
  return files.flatMap(file => written.get(file.replace(/^(?:\.\/)+/, '')) ?? []);
}

const wrapping =
  /^(?:sudo|doas|su|pkexec|runuser|env|xargs|nohup|timeout|gtimeout|nice|time|command|builtin|exec|busybox|toybox|stdbuf|setsid|ionice|unshare|nsenter|strace|ltrace|watch|parallel|script|systemd-run|linux32|linux64|firejail|bwrap|start-stop-daemon|daemonize|caffeinate|proot|fakeroot|rlwrap|unbuffer|dbus-run-session|xvfb-run|entr|watchexec)$/;
/** Wrappers that take an operand of their own before the command. */
const wrappingAfterOperand = /^(?:chroot|flock|ssh|setarch|taskset|chrt|expect)$/;
/** Options after which a command begins. */
const beginsCommand = /^(?:-exec|-execdir|-ok|-okdir|-x|-X|--exec|--exec-batch)$/;

/** The words as they are, and for wrappers every way they could go on. */
function possibleCommands(words: readonly string[]): string[][] {
  const [name = ''] = words;
  const all = [[...words]];
  if (/[*?[]/.test(name)) {
    const pattern = namePattern(baseName(name));
    for (const program of destroyers) if (pattern?.test(program)) all.push([program, ...words.slice(1)]);
  }
  for (const at of commandsWithin(words)) all.push(words.slice(at));
  return all;
}

/**
 * Where in the words of wrappers a command could begin: after options, their possible values, settings and numbers.
 * The first word that is none of these is the command, and what follows are its own words, unless it wraps too.
 */
function commandsWithin(words: readonly string[]): number[] {
  const name = baseName(words[0] ?? '');
  if (name === 'find' || name === 'gfind' || name === 'fd')
    return words.flatMap((word, at) => (beginsCommand.test(word) ? [at + 1] : []));
  const found: number[] = [];
  let extra = wrappingAfterOperand.test(name) ? 1 : 0;
  if (extra === 0 && !wrapping.test(name)) return found;
  for (let at = 1; at < words.length && at < maxPlaces; at++) {
    const word = words[at] ?? '';
    if (/^-|^\w+=|^[\d.]+[smhd]?$/.test(word)) continue;
    found.push(at);
    if (wrapping.test(baseName(word))) continue;
    // It may be the value of the option before it, or the wrapper's own operand.
    if (words[at - 1]?.startsWith('-') && words[at - 1] !== '--') continue;
    if (extra > 0) extra -= 1;
    else break;
  }
  return found;
}

/** Programs that a pattern in place of a name is tried against. */
const destroyers = [
  'rm',
  'dd',
  'shred',
  'chmod',
  'chown',
  'mv',
  'mkfs',
  'mkfs.ext4',
  'tee',
  'cp',
  'find',
  'reboot',
  'shutdown',
  'poweroff',
  'halt',
  'init',
];
