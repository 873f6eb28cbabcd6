import { posix } from 'node:path';
import { denying } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import { baseName } from './baseName.ts';
import type { DenyCheck } from './denied.ts';

/** Who may log in and with which rights, and what the machine starts from. Nobody changes these by way of an agent. */
const vital =
  /^\/(?:private\/)?etc\/(?:(?:passwd|shadow|group|gshadow|master\.passwd|sudoers|doas\.conf|fstab|crypttab|inittab|ld\.so\.preload)-?|(?:sudoers\.d|pam\.d|security)\/.+)$|^\/boot\/.+$/;

/** Says no when a path to be written is one that logging in or starting the machine depends on. */
export function systemFileIn(path: string, span: Span): Finding | undefined {
  if (!path.startsWith('/') || !vital.test(posix.normalize(path))) return undefined;
  return denying(
    'denied.systemFile',
    `This changes who may log in, or what the machine starts from: ${path}`,
    span,
  );
}

/** Write to every operand that is a file. */
const writers = new Set(['tee', 'sponge', 'truncate', 'shred', 'rm', 'unlink', 'ed', 'ex', 'chattr']);
/** Write to their last operand, or into the folder that an option names. */
const copiers = new Set(['cp', 'mv', 'install', 'ln', 'rsync', 'scp']);
/** Change a file in place, when told to. */
const editors = new Set(['sed', 'gsed', 'perl', 'ruby']);

/** Commands that overwrite, edit or delete such a file. */
export const systemFileCommand: DenyCheck = (words, { command }) => {
  const [name = '', ...rest] = words;
  const tool = baseName(name);
  const operands = rest.filter(word => !word.startsWith('-'));
  const first = (candidates: readonly string[]) =>
    candidates.map(path => systemFileIn(path, command.span)).find(finding => finding !== undefined);
  if (writers.has(tool)) return first(operands);
  if (editors.has(tool))
    return rest.some(word => /^-\w*i|^--in-place/.test(word)) ? first(operands) : undefined;
  if (tool === 'dd') return first(rest.flatMap(word => /^of=(.+)/.exec(word)?.[1] ?? []));
  if (!copiers.has(tool)) return undefined;
  // What is moved away is gone from there as well.
  return first(tool === 'mv' ? operands : operands.slice(-1));
};
