import { describeDenial, type AttributedDenial } from '../../../sandbox/denials.ts';
import { CordonError } from '../../base/errors.ts';
import { grantFor, parseDomain } from '../../egress/grant.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';
import type { HostReport } from '../network/hostReport.ts';

/** What the walls refused one command: for the user, and in sentences for the agent. */
export interface Refusals {
  readonly denials: WallDenial[];
  readonly notes: string[];
}

/**
 * Puts together what the proxy knows and what was read from a failed command's own words. What the proxy knows is
 * sure, so the words say nothing more about those hosts. A folder that is read-only is asked about elsewhere. `limit` is
 * the sentence about the limit that ended it, which names the setting. Pure.
 */
export function refusalsOf(
  hosts: HostReport | undefined,
  attributed: readonly AttributedDenial[],
  limit?: string,
): Refusals {
  const known = new Set(hosts?.denials.flatMap(each => (each.kind === 'host' ? [each.host] : [])));
  const ended = limitIn(limit);
  const read = attributed.filter(
    each =>
      each.kind !== 'writeFolder' &&
      !(each.kind === 'network' && known.has(each.host)) &&
      !(each.kind === 'limit' && ended.some(({ setting }) => setting === each.setting)),
  );
  return {
    // Hosts first: they may be shown already, and are known by their place.
    denials: [...(hosts?.denials ?? []), ...ended, ...read.flatMap(each => shown(each) ?? [])].slice(
      0,
      mostShown,
    ),
    notes: [...(hosts?.notes ?? []), ...read.map(describeDenial)],
  };
}

const mostShown = 8;

/** The denials of now, where one that was shown before keeps that the user lifted it. Pure. */
export function keepCures(
  before: readonly WallDenial[] | undefined,
  now: readonly WallDenial[],
): WallDenial[] {
  return now.map(
    denial =>
      before?.find(each => 'cured' in each && each.kind === denial.kind && each.words === denial.words) ??
      denial,
  );
}

function shown(denial: AttributedDenial): WallDenial | undefined {
  switch (denial.kind) {
    case 'network': {
      const { host, port } = denial;
      const place = port === undefined ? host : grantFor(host, port);
      const words = `It had no way to ${place}.`;
      return { kind: 'host', host, ...(port === undefined ? {} : { port }), words, ...grantIn(place) };
    }
    case 'limit':
      return { ...denial, words: `It reached the limit “${denial.setting}”.` };
    case 'secretFile':
      return {
        ...denial,
        words: `${denial.path} is hidden from commands, because it looks like a secret.`,
      };
    case 'protectedPath':
      return {
        kind: 'protectedPath',
        path: denial.path,
        words: `No command changes ${denial.path}, because it ${denial.because}. The agent's file tools can, and ask you.`,
      };
    case 'outside':
      return {
        ...denial,
        words: `${denial.path} is outside of the workspace, so commands do not ${denial.access === 'read' ? 'see' : 'write'} it.`,
      };
    case 'notCopied':
      return { kind: 'notCopied', words: notCopied(denial) };
    case 'tracing':
      return {
        kind: 'tracing',
        words:
          'No command may trace another program, so debuggers, strace and LeakSanitizer do not work behind the walls. They do in a terminal of yours.',
      };
    case 'writeFolder':
      return undefined;
  }
}

function notCopied({ path, why }: Extract<AttributedDenial, { kind: 'notCopied' }>): string {
  switch (why) {
    case 'owner':
      return `The copy of the workspace cannot change ${path}: the file belongs to another user or group. In a terminal of yours, chown or chgrp mends that.`;
    case 'link':
      return 'In a copy of the workspace git cannot link to files of another repository; git clone --no-hardlinks works.';
    case 'folder':
      return `In a copy of the workspace the folder ${path} cannot be renamed in one step; mv can move it, by copying.`;
  }
}

function limitIn(sentence: string | undefined): Extract<WallDenial, { kind: 'limit' }>[] {
  const [, setting] = /"(cordon\.limits\.[A-Za-z]+)"/.exec(sentence ?? '') ?? [];
  return sentence === undefined || setting === undefined ? [] : [{ kind: 'limit', setting, words: sentence }];
}

/** Only what can be allowed is offered: a name that some program printed may be anything. */
function grantIn(place: string): { grant?: string } {
  try {
    const { host, port } = parseDomain(place);
    return { grant: port === undefined ? grantFor(host, 443) : grantFor(host, port) };
  } catch (error) {
    if (error instanceof CordonError) return {};
    throw error;
  }
}
