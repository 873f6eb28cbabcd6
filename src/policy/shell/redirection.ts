import type { Redirection } from 'unbash';
import { asking } from '../finding.ts';
import { judgePath } from '../paths/judgePath.ts';
import { expandWhole } from './expandWord.ts';
import { unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import { guessWords, literal } from './field.ts';
import type { ShellState } from './line.ts';
import { blockDeviceIn } from '../denied/blockDevices.ts';
import { systemFileIn } from '../denied/systemFiles.ts';
import type { Walk } from './walk.ts';

/** Files that may be written to freely: nothing stays there. */
const sinks = new Set(['/dev/null', '/dev/stdout', '/dev/stderr', '/dev/fd/1', '/dev/fd/2']);

/** Judges one redirection and returns what the command will now read from its standard input. */
export function judgeRedirection(walk: Walk, redirection: Redirection, state: ShellState, input: Feed): Feed {
  const span = walk.span(redirection);
  const context = walk.expansion(state);
  if (redirection.descriptor?.type === 'FileDescriptorVariable')
    walk.ask('redirect.variable', 'This keeps a file open under a name of its own.', span);
  if (redirection.type === 'HereDoc') {
    const parts = redirection.body.parts;
    if (redirection.delimiter === undefined || redirection.closing === undefined)
      walk.ask('parse.hereDocument', 'The here-document is not closed.', span);
    if (parts === undefined) return { kind: 'text', text: redirection.body.text };
    const body = expandWhole(
      {
        type: 'Word',
        text: redirection.body.text,
        value: '',
        pos: redirection.body.pos,
        end: redirection.body.end,
        parts: parts.map(part =>
          part.type === 'Glob' || part.type === 'BraceExpansion'
            ? { type: 'SingleQuoted', pos: part.pos, end: part.end, text: part.text, value: part.text }
            : part,
        ),
      },
      context,
    );
    return {
      kind: 'text',
      text: guessWords([
        {
          ...body,
          pieces: body.pieces.map(piece => (piece.kind === 'open' ? { ...piece, splits: false } : piece)),
        },
      ]).join(''),
    };
  }
  if (redirection.target === undefined) {
    walk.ask('parse.redirection', 'The redirection has no target.', span);
    return unknownFeed;
  }
  const target = expandWhole(redirection.target, context);
  const text = literal(target);
  if (redirection.type === 'HereString')
    return {
      kind: 'text',
      text: guessWords([
        {
          ...target,
          pieces: target.pieces.map(piece => (piece.kind === 'open' ? { ...piece, splits: false } : piece)),
        },
      ]).join(''),
    };
  const { operator } = redirection;
  if (operator === '<&' || operator === '>&') {
    if (text !== undefined && /^(?:\d{1,3}-?|-)$/.test(text)) return operator === '<&' ? unknownFeed : input;
    if (operator === '<&') {
      walk.ask('redirect.duplicate', 'What this reads from cannot be told beforehand.', span);
      return unknownFeed;
    }
  }
  // Bash makes a pattern in a redirection into a name when exactly one file matches.
  const pattern =
    redirection.target.parts?.some(
      part => part.type === 'Glob' || part.type === 'BraceExpansion' || part.type === 'ExtendedGlob',
    ) ?? false;
  if (pattern) walk.ask('redirect.pattern', 'The file this names can only be told when it runs.', span);
  const guess = guessWords([target]).join('');
  if (/^\/dev\/(?:tcp|udp)\//.test(guess)) {
    walk.findings.push(
      asking('network.device', 'This opens a network connection.', span, {
        risk: 70,
        cure: 'person',
        stays: false,
      }),
    );
    return unknownFeed;
  }
  if (operator === '<') {
    const finding = judgePath(
      { boundary: walk.start.boundary, folders: state.folders, masked: true },
      target,
      'read',
    );
    if (finding) walk.findings.push({ ...finding, cure: 'person' });
    return unknownFeed;
  }
  const device = blockDeviceIn(guess, span);
  if (device) walk.findings.push(device);
  const system = systemFileIn(guess, span);
  if (system) walk.findings.push(system);
  if (text !== undefined && sinks.has(text) && operator !== '<>') return input;
  const outside = judgePath(
    { boundary: walk.start.boundary, folders: state.folders, masked: true },
    target,
    'read',
  );
  walk.findings.push(
    asking('redirect.write', `This writes to a file${text === undefined ? '' : `: ${text}`}`, span, {
      risk: outside ? 60 : 35,
      cure: 'person',
      stays: outside === undefined,
    }),
  );
  return input;
}
