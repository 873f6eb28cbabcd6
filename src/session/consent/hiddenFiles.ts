import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { Approvals } from './approvals.ts';
import type { Cures } from './cures.ts';
import { deniedByPolicy, deniedByUser, unanswered, type Denial } from './denial.ts';
import { realOfNearest, type Place } from '../files/place.ts';

interface Options {
  readonly approvals: Approvals;
  readonly cures: Cures;
  /** False where nobody is there to answer. */
  readonly canAsk: boolean;
  /** Whether the agent has a file of its own there, which is not hidden from it. Absolute path. */
  readonly isOwn: (path: string) => boolean;
}

/** Files of the workspace that look like secrets: the asking whether the agent may read one, by its name and no more. */
export class HiddenFiles {
  /** By real path: several reads at once are one question. */
  readonly #asking = new Map<string, Promise<Denial | undefined>>();
  /** Answered with no in this turn. */
  readonly #refused = new Map<string, Denial>();

  constructor(private readonly options: Options) {}

  /** The real path of a file that is hidden from the agent; undefined for all others, and where there is none. */
  async find({ path: file, relative }: Place): Promise<string | undefined> {
    if (!relative.some(each => isSecretFile(path.posix.basename(each)))) return undefined;
    const real = await realOfNearest(file);
    if (real === undefined || this.options.isOwn(real)) return undefined;
    const stats = await lstat(real).catch(() => undefined);
    return stats?.isFile() ? real : undefined;
  }

  endTurn(): void {
    this.#refused.clear();
  }

  /** Makes sure that the file (by its real path) may be read now, asking if need be. Undefined: it may. */
  async ensure(real: string, itemId: string, signal: AbortSignal): Promise<Denial | undefined> {
    const { cures, canAsk } = this.options;
    if (cures.shown.isShown(real)) return undefined;
    if (!canAsk) return deniedByPolicy(`${hidden} Nobody can be asked about it in this run.`);
    const refused = this.#refused.get(real);
    if (refused !== undefined) return refused;
    const asking = this.#asking.get(real) ?? this.#ask(real, itemId, signal);
    this.#asking.set(real, asking);
    return await asking;
  }

  async #ask(real: string, itemId: string, signal: AbortSignal): Promise<Denial | undefined> {
    const { approvals, cures } = this.options;
    try {
      const answer = await approvals.ask(itemId, { kind: 'secret', path: real }, question(real), signal);
      if (answer === null) return unanswered();
      if (answer.kind === 'allowForSession') cures.shown.show(real);
      if (answer.kind === 'allowOnce' || answer.kind === 'allowForSession') return undefined;
      const denial = answer.kind === 'deny' ? deniedByUser(answer.words) : unanswered();
      this.#refused.set(real, denial);
      return denial;
    } finally {
      this.#asking.delete(real);
    }
  }
}

const hidden = 'It is hidden, because it looks like a secret.';

/** The risk is such that allowing takes a second gesture: what was sent cannot be taken back. */
function question(real: string): Decision {
  const message = `${path.basename(real)} looks like a secret. What it holds goes to the model and whoever runs it, and cannot be taken back.`;
  return { decision: 'ask', risk: 90, reasons: [{ code: 'secret.read', message, span: [0, 0] }] };
}
