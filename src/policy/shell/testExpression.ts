import type { TestExpression, Word } from 'unbash';
import { judgePath } from '../paths/judgePath.ts';
import { expandWhole } from './expandWord.ts';
import { literal } from './field.ts';
import type { ShellState } from './line.ts';
import type { Walk } from './walk.ts';

const fileTests = new Set([
  '-a',
  '-b',
  '-c',
  '-d',
  '-e',
  '-f',
  '-g',
  '-h',
  '-k',
  '-p',
  '-r',
  '-s',
  '-u',
  '-w',
  '-x',
  '-G',
  '-L',
  '-N',
  '-O',
  '-S',
]);
const textTests = new Set(['-z', '-n', '-t', '-o']);
const numberComparisons = new Set(['-eq', '-ne', '-lt', '-le', '-gt', '-ge']);
const textComparisons = new Set(['=', '==', '!=', '=~', '<', '>']);

/**
 * Judges `[[ … ]]`. Numbers there are arithmetic, where a variable's value can run commands, so that only plain
 * numbers are taken.
 */
export function judgeTest(walk: Walk, expression: TestExpression, state: ShellState): void {
  const context = walk.expansion(state);
  const value = (word: Word) => expandWhole(word, context);
  switch (expression.type) {
    case 'TestLogical':
      for (const operand of expression.operands) judgeTest(walk, operand, state);
      return;
    case 'TestNot':
      return judgeTest(walk, expression.operand, state);
    case 'TestGroup':
      return judgeTest(walk, expression.expression, state);
    case 'TestUnary': {
      const operand = value(expression.operand);
      if (fileTests.has(expression.operator)) {
        const finding = judgePath(
          { boundary: walk.start.boundary, folders: state.folders, masked: true },
          operand,
          'exists',
        );
        if (finding) walk.findings.push(finding);
      } else if (!textTests.has(expression.operator))
        walk.ask('test.variable', 'This test can run commands hidden in a name.', walk.span(expression), 50);
      return;
    }
    case 'TestBinary': {
      const sides = [value(expression.left), value(expression.right)];
      if (numberComparisons.has(expression.operator)) {
        const plain = sides.every(
          side =>
            /^-?\d+$/.test(literal(side) ?? '') ||
            (side.pieces.length === 1 && side.pieces[0]?.kind === 'digits'),
        );
        if (!plain)
          walk.ask(
            'test.arithmetic',
            'A comparison of numbers inside `[[ ]]` can run commands hidden in a value.',
            walk.span(expression),
            45,
          );
      } else if (/^-(?:ef|nt|ot)$/.test(expression.operator)) {
        for (const side of sides) {
          const finding = judgePath(
            { boundary: walk.start.boundary, folders: state.folders, masked: true },
            side,
            'exists',
          );
          if (finding) walk.findings.push(finding);
        }
      } else if (!textComparisons.has(expression.operator))
        walk.ask('test.unknown', 'This test is not known.', walk.span(expression));
    }
  }
}
