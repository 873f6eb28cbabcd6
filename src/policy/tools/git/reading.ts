import { asking } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { JudgeContext } from '../../judgeCommand.ts';
import { literal, textField } from '../../shell/field.ts';
import type { Field } from '../../shell/field.ts';
import type { SimpleCommand } from '../../shell/line.ts';
import type { ParsedArguments } from '../parseArguments.ts';
import { repositoryHazard } from './repository.ts';
import { judgeRevisionsAndPaths } from './revisions.ts';

/** What commits, and files in them, are read must be harmless, and so must the repository and the format of the output. */
export function readsRevisions(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  return [
    ...inRepository(command, context),
    ...signatureFormats(parsed),
    ...judgeRevisionsAndPaths(parsed, context),
    // `-L 1,5:file`, `-L :function:file`
    ...judgeRevisionsAndPaths(
      {
        ...parsed,
        operands: parsed.options.flatMap(({ name, value, word }) =>
          name === '-L' && value ? [{ field: lastPart(value), word }] : [],
        ),
      },
      context,
    ),
  ];
}

/** The same where only names are printed: a path that may only be looked at will do. */
export function readsNames(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  return [
    ...inRepository(command, context),
    ...signatureFormats(parsed),
    ...judgeRevisionsAndPaths(parsed, context, 'look'),
  ];
}

/** What the settings around the working folder would run. */
export function inRepository(command: SimpleCommand, context: JudgeContext): readonly Finding[] {
  if (context.folders === undefined)
    return [
      asking('path.unknownFolder', 'It is not certain in which repository this would be.', command.span),
    ];
  for (const folder of context.folders) {
    const hazard = repositoryHazard(folder);
    if (hazard !== undefined)
      return [
        asking(
          'git.repositorySettings',
          `The settings of this repository make git do more than read: ${hazard}.`,
          command.span,
          { risk: 55, cure: 'person', stays: true },
        ),
      ];
  }
  return [];
}

/** Formats that make git check a signature by a program (`%G?`, `%(signature)`). */
export function signatureFormats(parsed: ParsedArguments): readonly Finding[] {
  return parsed.options.flatMap(({ name, value, word }) => {
    if (!/^--(?:format|pretty)$/.test(name) || value === undefined) return [];
    const text = literal(value);
    return text === undefined || /%G|signature/.test(text)
      ? [
          asking('tool.dangerousOption', 'A signature in the format is checked by a program.', value.span, {
            word,
            cure: 'word',
          }),
        ]
      : [];
  });
}

function lastPart(field: Field): Field {
  const text = literal(field);
  return text === undefined ? field : textField(text.slice(text.lastIndexOf(':') + 1), field.span);
}
