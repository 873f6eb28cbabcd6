import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';

/** Listing an archive: `tar tf X` in the old style, or with `-t`/`--list`; an archive `host:file` is on another machine. */
export function judgeTar(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const [first] = parsed.operands;
  const cluster = first && literal(first.field);
  const archives = parsed.options
    .filter(({ name }) => name === '-f' || name === '--file')
    .map(({ value }) => value);
  if (
    first &&
    cluster !== undefined &&
    first.word === 1 &&
    /^[tvzjJ]*f?$/.test(cluster) &&
    cluster.includes('t')
  ) {
    if (!cluster.endsWith('f')) return [];
    const archive = parsed.operands[1];
    if (archive === undefined) return [notOnlyReading(command.span, 'tar')];
    const finding = judgePath(context, archive.field, 'read', archive.word);
    return isRemote(literal(archive.field))
      ? [notOnlyReading(archive.field.span, 'tar', archive.word)]
      : finding
        ? [finding]
        : [];
  }
  const lists = parsed.options.some(({ name }) => name === '-t' || name === '--list');
  if (!lists || archives.some(archive => archive === undefined || isRemote(literal(archive))))
    return [notOnlyReading(command.span, 'tar')];
  return [];
}

function isRemote(archive: string | undefined): boolean {
  return archive === undefined || archive.includes(':');
}
