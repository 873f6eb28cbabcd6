import type { WallClock } from '../../../sandbox/wallClock.ts';
import type { DomainGrant } from '../../egress/grant.ts';
import { HostLog, type HostVerdict } from './hostReport.ts';

/** What is remembered of a command while it runs. */
export class FollowedCommand {
  readonly log = new HostLog();
  readonly once = new Map<string, Permission>();
  readonly verdicts = new Map<string, HostVerdict>();
  readonly questions = new Map<string, Promise<'allow' | 'deny'>>();
  /** Aborted at its end. */
  readonly over = new AbortController();
  pid: number | undefined;
  telling: NodeJS.Timeout | undefined;
  /** Where notes go while it runs, and those that went there. */
  tell: ((notes: readonly string[]) => void) | undefined;
  readonly told = new Set<string>();

  constructor(
    readonly itemId: string,
    /** Absent: not known which. */
    readonly line: string | undefined,
    /** Of its wall time. */
    readonly clock: WallClock | undefined,
  ) {}
}

/** One host that may be reached, and how often it was. */
export interface Permission {
  readonly grant: DomainGrant;
  readonly kind: 'once' | 'session';
  readonly at: number;
  uses: number;
}

export function newPermission(grant: DomainGrant, kind: Permission['kind']): Permission {
  return { grant, kind, at: Date.now(), uses: 0 };
}
