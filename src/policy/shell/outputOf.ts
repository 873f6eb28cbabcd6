import { guessWords, literal } from './field.ts';
import { unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import type { Listing } from './field.ts';
import type { SimpleCommand } from './line.ts';
import { startsOf } from '../wrappers/findListing.ts';
import { transformText } from './transformText.ts';

/** Filters that pass lines on as they are, when given no file of their own. */
const filters = new Map<string, RegExp>([
  ['grep', /^-(?:[vEiFwxPq]+|e)$|^--(?:invert-match|extended-regexp)$/],
  ['egrep', /^-[vi]+$/],
  ['head', /^-(?:\d+|n|n\d+)$/],
  ['tail', /^-(?:\d+|n|n\d+)$/],
  ['sort', /^-[urnVf]+$/],
  ['uniq', /^-[udi]+$/],
  ['tee', /^$/],
]);

/** What a command prints into the next one of its pipeline, as far as that can be told. */
export function outputOf(command: SimpleCommand): Feed {
  const words = command.words.map(literal);
  const [name = ''] = words;
  const { input } = command;
  if (name === 'find') {
    const texts = words.slice(1);
    if (
      texts.some(text =>
        text === undefined ? false : /^-(?:printf|ls|exec|execdir|fprint\w*|ok|okdir|delete)$/.test(text),
      )
    )
      return unknownFeed;
    return { kind: 'listing', listing: startsOf(command) };
  }
  const all = words.every(word => word !== undefined);
  if (all && (input.kind === 'listing' || input.kind === 'unknown')) {
    if (input.kind === 'listing' && name === 'tr' && words.slice(1).join(' ') === String.raw`\n \0`)
      return { kind: 'listing', listing: { ...input.listing, separated: true } };
    const options = filters.get(name);
    const rest = words.slice(1);
    const given = rest.filter(word => word.startsWith('-'));
    const operands = rest.filter(word => !word.startsWith('-'));
    const own = name === 'grep' || name === 'egrep' || given.includes('-n') ? 1 : 0;
    if (options && operands.length <= own && given.every(word => options.test(word))) return input;
  }
  if (all && name === 'git' && words[1] === 'ls-files')
    return listingIf(
      words
        .slice(2)
        .every(word =>
          /^(?:--|-c|-m|-o|--cached|--modified|--others|--exclude-standard|\*\.\w+|[\w./]+)$/.test(
            word ?? '-',
          ),
        ),
      words.slice(2).filter((word): word is string => word !== undefined && /^\*\.\w+$/.test(word)),
      '',
    );
  if (all && name === 'git' && words[1] === 'ls-files' && words[2] === '-z')
    return { kind: 'listing', listing: { ...plainListing, separated: true } };
  if (all && name === 'git' && words[1] === 'diff' && words.includes('--name-only'))
    return listingIf(
      words.slice(2).every(word => !word?.startsWith('/') && word !== '--no-index'),
      [],
      '',
    );
  if ((name === 'grep' || name === 'rg') && all) {
    const given = words.slice(1).filter((word): word is string => word?.startsWith('-') ?? false);
    const lists =
      given.some(word => /^-[a-zA-Z]*l[a-zA-Z]*$|^--files-with-matches$|^--files$/.test(word)) &&
      !given.some(word => /^--(?:null|label|color)|^-[a-zA-Z]*[Zz0]/.test(word));
    const operands = words
      .slice(1)
      .filter((word): word is string => word !== undefined && !word.startsWith('-'));
    const leads = operands.slice(given.some(word => word === '-e' || word === '--files') ? 0 : 1);
    const simple = !given.some(word => /^-[efgtm]$|^--(?:regexp|file|glob|type|include-dir)$/.test(word));
    if (lists && !words.some((word, index) => index > 1 && (word?.startsWith('/') || word?.includes('..'))))
      return {
        kind: 'listing',
        listing: {
          ...plainListing,
          leads: simple && leads.length > 0 ? leads : [''],
          skipsHidden: name === 'rg' && !given.some(word => /hidden|^-u|^-\.$/.test(word)),
        },
      };
  }
  if (name === 'ls' && all && words.slice(1).every(word => word === '-1'))
    return { kind: 'listing', listing: { ...plainListing, skipsHidden: true } };
  const text = transformText(guessWords(command.words), input.kind === 'text' ? input.text : '');
  return text === undefined ? unknownFeed : { kind: 'text', text };
}

const plainListing: Listing = {
  leads: [''],
  names: [],
  filesOnly: false,
  skipsHidden: false,
  separated: false,
};

function listingIf(known: boolean, names: readonly string[], lead: string): Feed {
  return known ? { kind: 'listing', listing: { ...plainListing, leads: [lead], names } } : unknownFeed;
}
