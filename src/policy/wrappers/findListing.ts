import { guessWords, literal } from '../shell/field.ts';
import type { Field, Listing } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';

/** What `find` lists, from its starting points and the name tests that hold for every path. */
export function startsOf(command: SimpleCommand): Listing {
  const words = command.words.slice(1).map(textOf);
  let at = 0;
  while (/^-(?:[HLP]|O\d)$/.test(words[at] ?? '')) at += 1;
  const first = at;
  while (at < words.length && !/^[-(!,]/.test(words[at] ?? '')) at += 1;
  const leads = words.slice(first, at);
  const tests = words.slice(at);
  const negates = (index: number) => tests[index] === '!' || tests[index] === '-not';
  const groupNegated = tests.some((word, index) => word === '(' && negates(index - 1));
  const plain = !groupNegated && !tests.some(word => word === '-o' || word === '-or' || word === ',');
  const alternatives =
    /^(?:-type f )?(?:\( )?-name \S+(?: -o -name \S+)*(?: \))?(?: -type f)?(?: -print0?)?$/.test(
      tests.join(' '),
    );
  // Of tests that all hold, every one bounds the names; of alternatives, all together do.
  const names =
    plain || alternatives
      ? tests.flatMap((word, index) =>
          word === '-name' && !negates(index - 1) ? [tests[index + 1] ?? '*'] : [],
        )
      : [];
  const filesOnly =
    plain && tests.some((word, index) => word === '-type' && tests[index + 1] === 'f' && !negates(index - 1));
  return {
    leads: leads.length > 0 ? leads : ['.'],
    names,
    filesOnly,
    skipsHidden: false,
    separated: tests.includes('-print0'),
  };
}

function textOf(field: Field): string {
  return literal(field) ?? guessWords([field]).join(' ');
}
