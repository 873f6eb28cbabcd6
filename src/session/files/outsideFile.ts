import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { AnchoredFolder } from '../../overlay/anchoredFolder.ts';

/** The text of a file outside of the workspace, or why there is none, as the end of "PATH was not read: it …". */
export type OutsideText = { readonly text: string } | { readonly problem: string };

/**
 * Reads one file that the user granted. Every name on the way is opened by itself and must not be a link, so a path that
 * was free of links when it was granted leads nowhere else now. Never throws.
 *
 * @param real absolute, without links
 */
export function readOutside(real: string): OutsideText {
  try {
    using root = new AnchoredFolder('/');
    // Not blocking: a pipe may have come to lie where a file was.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = root.at(real.slice(1), place => openSync(place, flags));
    try {
      return textOf(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return { problem: problems[code] ?? 'cannot be opened' };
  }
}

/** Bytes of a file that is read at once, at most. */
const maxFile = 4_000_000;

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  'overlay.moved': 'does not exist, or a link has taken its place',
  ELOOP: 'is a link now',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
};

function textOf(file: number): OutsideText {
  const stat = fstatSync(file);
  if (stat.isDirectory()) return { problem: 'is a folder; a command can list it' };
  if (!stat.isFile()) return { problem: 'is not an ordinary file' };
  if (stat.size > maxFile)
    return { problem: `has more than ${maxFile / 1_000_000} MB; a command can read a part of it` };
  const bytes = readFileSync(file);
  // It may have grown meanwhile.
  if (bytes.length > maxFile) return { problem: 'is too large' };
  if (bytes.includes(0)) return { problem: 'is not plain text' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { problem: 'is not valid UTF-8' };
  }
}
