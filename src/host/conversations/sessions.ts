import { messageOf } from '../../base/errors.ts';
import { shortId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { Conversation, SessionEvent } from '../../protocol/transcript.ts';
import type { Session } from '../../session/session.ts';
import type { SessionGrant } from '../../session/consent/sessionGrants.ts';

interface Options {
  /** Builds walls and agent for one conversation. Rejects with a CordonError when something is missing. */
  readonly start: (
    id: string,
    resume: Conversation | undefined,
    onEvent: (event: SessionEvent) => void,
  ) => Promise<Started>;
  readonly log: Log;
}

/** A session, and what it runs in: ended after it. */
export interface Started {
  readonly session: Session;
  readonly walls: AsyncDisposable;
}

/** The sessions of this window's conversations, by these' ids: each has one from its first prompt until it is ended. */
export class Sessions {
  readonly #sessions = new Map<string, Promise<Started>>();
  /** Those that are there. */
  readonly #started = new Map<string, Started>();

  constructor(private readonly options: Options) {}

  /** Whether it has one, or one is being started. */
  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** Waits for one that is being started, and rejects when that fails. */
  async get(id: string): Promise<Session | undefined> {
    return (await this.#sessions.get(id))?.session;
  }

  /** Starts it, unless it is there. */
  async start(
    id: string,
    resume: Conversation | undefined,
    onEvent: (event: SessionEvent) => void,
  ): Promise<Session> {
    const known = this.#sessions.get(id);
    if (known !== undefined) return (await known).session;
    const starting = this.options.start(id, resume, onEvent);
    this.#sessions.set(id, starting);
    starting.then(
      // Ended while it was being started, it belongs to nobody any more.
      started => this.#sessions.get(id) === starting && this.#started.set(id, started),
      () => this.#sessions.delete(id),
    );
    return (await starting).session;
  }

  /** What was allowed for the session, of all of them. */
  grants(): SessionGrant[] {
    return [...this.#started.values()].flatMap(({ session }) => session.grants.list());
  }

  /** Takes back what was allowed for a session. */
  revokeGrant(id: string): void {
    for (const { session } of this.#started.values()) session.grants.revoke(id);
  }

  /** The user saved files of the workspace. */
  async saved(): Promise<void> {
    await Promise.all([...this.#started.values()].map(({ session }) => session.saved()));
  }

  /** Ends the commands that were let run by what does not hold any more. */
  async recheck(what: 'grants' | 'rules'): Promise<void> {
    await Promise.all([...this.#started.values()].map(({ session }) => session.recheck(what)));
  }

  /** The conversation goes on with another one at the next prompt. */
  async end(id: string): Promise<void> {
    const starting = this.#sessions.get(id);
    this.#sessions.delete(id);
    this.#started.delete(id);
    try {
      const started = await starting;
      await started?.session[Symbol.asyncDispose]();
      await started?.walls[Symbol.asyncDispose]();
    } catch (error) {
      this.options.log.error(`ending conversation ${shortId(id)}: ${messageOf(error)}`);
    }
  }

  /** Ends all of them, or those of these conversations. */
  async endAll(which: (id: string) => boolean = () => true): Promise<void> {
    await Promise.all([...this.#sessions.keys()].filter(which).map(id => this.end(id)));
  }

  /**
   * Ends every process of every session at once: first all that runs in the walls, agents included, then what is left of
   * the sessions. One that is just being started is ended as soon as it is there.
   */
  async stopEverything(): Promise<void> {
    const started = [...this.#started.values()];
    await Promise.allSettled(started.map(({ walls }) => walls[Symbol.asyncDispose]()));
    await this.endAll();
  }
}
