import { asking } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { JudgeContext } from '../../judgeCommand.ts';
import { judgePath } from '../../paths/judgePath.ts';
import { aimsAtCredentials, namePattern } from '../../paths/globs.ts';
import { isCredentialName } from '../../paths/credentials.ts';
import { literal, textField } from '../../shell/field.ts';
import type { Field } from '../../shell/field.ts';
import type { ParsedArguments } from '../parseArguments.ts';

/**
 * Operands of git that may be revisions or paths: both readings must be harmless. `rev:path` names a file in history,
 * `:(…)path` a path with magic.
 */
export function judgeRevisionsAndPaths(
  parsed: ParsedArguments,
  context: JudgeContext,
  use: 'read' | 'look' = 'read',
): readonly Finding[] {
  return parsed.operands.flatMap(({ field, word }) => judgeOne(field, word, context, use) ?? []);
}

function judgeOne(
  field: Field,
  word: number,
  context: JudgeContext,
  use: 'read' | 'look',
): Finding | undefined {
  const text = literal(field);
  if (text === undefined) return judgePath(context, field, use, word);
  const path = pathIn(text);
  // Git takes patterns in paths itself, over every folder.
  if (use === 'read' && /[*?[\\]/.test(path)) {
    const pattern = namePattern(path.slice(path.lastIndexOf('/') + 1));
    if (pattern === undefined || aimsAtCredentials(pattern)) return credential(path, field, word);
  }
  const asPath = judgePath(context, textField(path, field.span), use, word);
  if (asPath) return asPath;
  if (use === 'read' && path.split(/[/:]/).some(isCredentialName)) return credential(path, field, word);
  return undefined;
}

function pathIn(text: string): string {
  const magic = /^:(?:\(([^)]*)\)|[!^/]+)/.exec(text);
  if (magic) return text.slice(magic[0].length) || '.';
  const colon = text.indexOf(':');
  return colon >= 0 ? text.slice(colon + 1) || '.' : text;
}

function credential(path: string, field: Field, word: number): Finding {
  return asking('path.credential', `This may hold credentials: ${path}`, field.span, {
    word,
    risk: 70,
    cure: 'word',
    stays: false,
  });
}
