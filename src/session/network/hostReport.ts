import type { EgressEvent, EgressTarget } from '../../egress/egressProxy.ts';
import type { Refusal } from '../../egress/refusal.ts';
import type { HostTraffic } from '../../protocol/transcript.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';

/** What was said about a host that had to be asked about. */
export type HostVerdict =
  | { readonly kind: 'allowed' }
  /** `words` are the user's own, or empty. */
  | { readonly kind: 'denied'; readonly words: string }
  /** Not to be asked: the sentence says why, and how it could be allowed. */
  | { readonly kind: 'refused'; readonly why: string; readonly isFinal: boolean }
  | { readonly kind: 'unanswered' };

/** What became of the connections of one command. */
export interface HostReport {
  readonly connections: HostTraffic[];
  readonly denials: WallDenial[];
  /** The same denials in words for the agent. */
  readonly notes: string[];
}

/** Gathers what happened on the connections of one command. */
export class HostLog {
  readonly #traffic = new Map<string, HostTraffic>();
  readonly #refused = new Map<string, { target: EgressTarget; refusal: Refusal }>();
  #open = 0;
  #whenQuiet: (() => void) | undefined;

  add(event: EgressEvent): void {
    const { target } = event;
    switch (event.kind) {
      case 'refused': {
        const name = `${keyOf(target)} ${event.refusal.code}`;
        if (this.#refused.size < mostHosts) this.#refused.set(name, { target, refusal: event.refusal });
        return;
      }
      case 'connected':
        this.#open += 1;
        return this.#count(target, { connections: 1, sent: 0, received: 0 });
      case 'closed':
        this.#open -= 1;
        this.#count(target, { connections: 0, sent: event.bytesUp, received: event.bytesDown });
        if (this.#open === 0) this.#whenQuiet?.();
    }
  }

  get traffic(): HostTraffic[] {
    return [...this.#traffic.values()];
  }

  /** Resolves when no connection is open any more, or after so many milliseconds. */
  async quiet(patience: number): Promise<void> {
    if (this.#open === 0) return;
    await new Promise<void>(resolve => {
      const overdue = setTimeout(resolve, patience);
      this.#whenQuiet = () => {
        clearTimeout(overdue);
        resolve();
      };
    });
  }

  /** The verdict on a host decides about the words. */
  report(verdictOn: (target: EgressTarget) => HostVerdict | undefined): HostReport {
    const denials: WallDenial[] = [];
    const notes: string[] = [];
    for (const { target, refusal } of this.#refused.values()) {
      const verdict = refusal.code === 'egress.notAllowed' ? verdictOn(target) : undefined;
      const said = inWords(target, refusal, verdict);
      notes.push(said.forAgent);
      if (!isTrouble(refusal)) {
        const { host, port } = target;
        const { grant } = said;
        denials.push({ kind: 'host', host, port, words: said.forUser, ...(grant ? { grant } : {}) });
      }
    }
    const more = notes.length - mostTold;
    return {
      connections: this.traffic,
      denials: denials.slice(0, mostTold),
      notes: [
        ...notes.slice(0, mostTold),
        ...(more > 0 ? [`${more} more connections were refused or failed.`] : []),
      ],
    };
  }

  #count(target: EgressTarget, { connections, sent, received }: Omit<HostTraffic, 'host' | 'port'>): void {
    const name = keyOf(target);
    const before = this.#traffic.get(name) ?? { ...target, connections: 0, sent: 0, received: 0 };
    if (!this.#traffic.has(name) && this.#traffic.size >= mostHosts) return;
    this.#traffic.set(name, {
      ...before,
      connections: before.connections + connections,
      sent: before.sent + sent,
      received: before.received + received,
    });
  }
}

/** Different hosts that are remembered of one command. */
const mostHosts = 100;
/** Refusals that are told; more help nobody. */
const mostTold = 5;

export function keyOf({ host, port }: EgressTarget): string {
  return `${host} ${port}`;
}

/** It failed, but no wall refused it. */
function isTrouble({ code }: Refusal): boolean {
  return code === 'egress.unknownHost' || code === 'egress.unreachable' || code === 'egress.badRequest';
}

function inWords(
  { host, port }: EgressTarget,
  { message, grant, code }: Refusal,
  verdict: HostVerdict | undefined,
): { forAgent: string; forUser: string; grant: string | undefined } {
  const place = grant ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
  switch (verdict?.kind) {
    case 'denied': {
      const theirs = verdict.words === '' ? '' : ` They say: ${verdict.words}`;
      const yours = verdict.words === '' ? '' : ` You said: ${verdict.words}`;
      return {
        forAgent: `The command did not reach ${place}: the user did not allow it.${theirs}`,
        forUser: `You did not let it reach ${place}.${yours}`,
        grant,
      };
    }
    case 'refused':
      return {
        forAgent: `The command did not reach ${place}. ${verdict.why}`,
        forUser: `It did not reach ${place}. ${verdict.why}`,
        grant: verdict.isFinal ? undefined : grant,
      };
    case 'allowed':
      return {
        forAgent: `The command gave up on ${place} before the user allowed it. Run it again.`,
        forUser: `It gave up on ${place} before you allowed it.`,
        grant,
      };
    case 'unanswered':
      return {
        forAgent: `The command did not reach ${place}: the question to the user had no answer when it gave up, which counts as no.`,
        forUser: `It did not reach ${place}: you had not answered when it gave up.`,
        grant,
      };
    case undefined: {
      const cure = grant === undefined ? '' : ` The user can allow ${grant}.`;
      const isCurable = code === 'egress.privateAddress' || code === 'egress.notAllowed';
      return { forAgent: message + cure, forUser: message, grant: isCurable ? grant : undefined };
    }
  }
}
