import { asking } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import { knownStart, literal } from '../shell/field.ts';
import type { Field, Listing } from '../shell/field.ts';
import { placeOf } from './boundary.ts';
import type { Boundary, Place } from './boundary.ts';
import { aimsAtCredentials, namePattern, oddMatches, pathPattern, strikingMatches } from './globs.ts';
import { treeHazard } from './tree.ts';
import type { TreeScope } from './tree.ts';

/** From where paths are seen. */
export interface PathContext {
  readonly boundary: Boundary;
  /** Every folder the command may run in; undefined when it is not known. */
  readonly folders: readonly string[] | undefined;
  /** False when nothing masks credentials, so that what cannot be looked through is asked. */
  readonly masked: boolean;
}

/**
 * What is done with a path: its content is read, its entry is looked at (names, sizes, times; `entry`: without following
 * a link that a pattern finds), or only its existence is tested.
 */
export type PathUse = 'read' | 'look' | 'entry' | 'exists';

/** Judges one path operand as far as it is known; undefined when there is nothing against it. */
export function judgePath(
  context: PathContext,
  field: Field,
  use: PathUse,
  word?: number,
): Finding | undefined {
  const about = { span: field.span, ...(word === undefined ? {} : { word }) };
  const text = literal(field);
  if (text !== undefined) return judgeLiteral(context, text, use, about);
  const [first] = field.pieces;
  if (field.pieces.length === 1 && first?.kind === 'stream') return undefined;
  if (field.pieces.length === 1 && first?.kind === 'listed')
    return judgeListing(context, first.listing, use, about);
  if (field.pieces.some(piece => piece.kind === 'open' || piece.kind === 'listed' || piece.kind === 'stream'))
    return unknownPath(about);
  const parts = field.pieces.map(piece =>
    piece.kind === 'text'
      ? { glob: false, text: piece.text }
      : piece.kind === 'glob'
        ? { glob: true, text: piece.text }
        : { glob: true, text: '*' },
  );
  const resplit = field.pieces.some(piece => piece.kind === 'glob' && piece.resplit);
  return judgeGlob(context, parts, knownStart(field), resplit, use, about);
}

/** Judges a folder that a command goes through, opening what `scope` says. */
export function judgeTree(
  context: PathContext,
  field: Field,
  scope: TreeScope,
  word?: number,
): Finding | undefined {
  const about = { span: field.span, ...(word === undefined ? {} : { word }) };
  const own = judgePath(context, field, 'read', word);
  if (own) return own;
  const text = literal(field);
  if (text === undefined)
    return field.pieces.some(piece => piece.kind === 'glob')
      ? judgeTree(
          context,
          { pieces: [{ kind: 'text', text: knownFolder(field) }], span: field.span },
          scope,
          word,
        )
      : unknownPath(about);
  for (const folder of foldersFor(context, text) ?? []) {
    const place = placeOf(context.boundary, folder, text);
    if (place.kind !== 'inside') continue;
    const hazard = treeHazard(context.boundary, place.path, scope);
    if (hazard.kind === 'credential') return credentialFinding(hazard.path, about);
    if (hazard.kind === 'leadsOutside')
      return outsideFinding(hazard.path, about, 'A symbolic link there leads out of the workspace');
    if (hazard.kind === 'oddName')
      return asking('path.pattern', `This name would be taken apart: ${hazard.path}`, about.span, {
        ...about,
      });
    if (hazard.kind === 'tooLarge' && !context.masked)
      return asking(
        'path.tooMany',
        'There is too much below this folder to be sure that it holds no credentials.',
        about.span,
        { ...about },
      );
  }
  return undefined;
}

interface About {
  readonly span: Span;
  readonly word?: number;
}

function judgeLiteral(context: PathContext, text: string, use: PathUse, about: About): Finding | undefined {
  const folders = foldersFor(context, text);
  if (folders === undefined)
    return asking('path.unknownFolder', 'It is not certain in which folder this would be.', about.span, {
      ...about,
    });
  for (const folder of folders) {
    const finding = findingFor(placeOf(context.boundary, folder, text), use, about);
    if (finding) return finding;
  }
  return undefined;
}

function findingFor(place: Place, use: PathUse, about: About): Finding | undefined {
  switch (place.kind) {
    case 'inside':
    case 'harmless':
      return undefined;
    case 'credential':
      if (use === 'exists') return place.isInside ? undefined : outsideFinding(place.path, about);
      return credentialFinding(place.path, about);
    case 'outside':
      // Whether a program is installed is no secret.
      if (use === 'exists' && /^\/(?:usr|bin|sbin|lib\w*|opt)\//.test(place.path)) return undefined;
      return outsideFinding(place.path, about);
    case 'unknown':
      return unknownPath(about);
  }
}

function judgeGlob(
  context: PathContext,
  parts: readonly { glob: boolean; text: string }[],
  start: string,
  resplit: boolean,
  use: PathUse,
  about: About,
): Finding | undefined {
  const components = pathPattern(parts);
  if (components === undefined)
    return asking('path.pattern', 'This pattern cannot be followed.', about.span, { ...about });
  if (use !== 'exists' && components.some(({ pattern }) => pattern && aimsAtCredentials(pattern)))
    return credentialFinding(parts.map(part => part.text).join(''), about);
  const firstPattern = components.findIndex(({ pattern }) => pattern !== undefined);
  const prefix = components
    .slice(0, firstPattern)
    .map(({ text }) => text)
    .join('/');
  const base = start.startsWith('/') && prefix === '' ? '/' : prefix === '' ? '.' : prefix;
  const folders = foldersFor(context, base);
  if (folders === undefined)
    return asking('path.unknownFolder', 'It is not certain in which folder this would be.', about.span, {
      ...about,
    });
  const rest = components.slice(firstPattern);
  for (const folder of folders) {
    const place = placeOf(context.boundary, folder, base);
    const finding = findingFor(place, use, about);
    if (finding) return finding;
    if (place.kind !== 'inside') return outsideFinding(base, about);
    const striking = strikingMatches(place.path, rest, start === '');
    if (striking === undefined)
      return asking('path.tooMany', 'This pattern finds more than can be looked through.', about.span, {
        ...about,
      });
    if (resplit && oddMatches(place.path, rest))
      return asking(
        'path.pattern',
        'Names with blanks or wildcards in them would be taken apart here.',
        about.span,
        { ...about },
      );
    for (const path of striking) {
      if (path.startsWith('-'))
        return asking('tool.openOption', 'A name found here would be taken for an option.', about.span, {
          ...about,
          cure: 'person',
        });
      if (use === 'entry') continue;
      const found = placeOf(context.boundary, '/', path);
      if (found.kind === 'credential' && use !== 'read') continue;
      const striking = findingFor(found, use, about);
      if (striking) return striking;
    }
  }
  return undefined;
}

function judgeListing(
  context: PathContext,
  listing: Listing,
  use: PathUse,
  about: About,
): Finding | undefined {
  const patterns = listing.names.map(namePattern);
  if (patterns.some(pattern => pattern === undefined)) return unknownPath(about);
  if (patterns.some(pattern => pattern !== undefined && aimsAtCredentials(pattern)) && use === 'read')
    return credentialFinding(listing.names.join(' '), about);
  const opens =
    patterns.length === 0 ? undefined : (name: string) => patterns.some(pattern => pattern?.test(name));
  for (const lead of listing.leads) {
    const field: Field = { pieces: [{ kind: 'text', text: lead === '' ? '.' : lead }], span: about.span };
    const finding =
      use === 'read'
        ? judgeTree(
            context,
            field,
            { opens, followsLinks: false, opensLinks: !listing.filesOnly, skipsHidden: listing.skipsHidden },
            about.word,
          )
        : judgePath(context, field, use, about.word);
    if (finding) return finding;
  }
  return undefined;
}

function foldersFor(context: PathContext, path: string): readonly string[] | undefined {
  return path.startsWith('/') ? ['/'] : context.folders;
}

function knownFolder(field: Field): string {
  const start = knownStart(field);
  const slash = start.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : start.slice(0, slash);
}

/** The folder in which a pattern begins to look, as a field of its own. */
export function folderOfPattern(field: Field): Field {
  return { pieces: [{ kind: 'text', text: knownFolder(field) }], span: field.span };
}

function unknownPath(about: About): Finding {
  return asking('path.unknown', 'Which file this is can only be told when it runs.', about.span, {
    ...about,
  });
}

function outsideFinding(path: string, about: About, what = 'This leads out of the workspace'): Finding {
  return asking('path.outsideWorkspace', `${what}: ${path}`, about.span, {
    ...about,
    risk: 45,
    stays: false,
  });
}

function credentialFinding(path: string, about: About): Finding {
  return asking('path.credential', `This may hold credentials: ${path}`, about.span, {
    ...about,
    risk: 70,
    cure: 'word',
    stays: false,
  });
}
