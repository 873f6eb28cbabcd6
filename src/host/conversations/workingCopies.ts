import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import * as path from 'node:path';
import { CordonError, messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { AcceptOutcome, ChangesEngine } from '../../session/changes/changesEngine.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';

interface Options {
  /** Opens the copy that is kept in this directory (made when missing). Rejects with a CordonError where none can be had. */
  readonly open: (directory: string) => Promise<WorkingCopy>;
  /** Where the copies of this workspace's conversations are kept. */
  readonly directory: () => string;
  /** Whether the agent of this conversation is at work. */
  readonly isBusy: (conversationId: string) => boolean;
  /** Whether the conversation is shown, or has an agent. */
  readonly isInUse: (conversationId: string) => boolean;
  readonly onAccepted: (conversationId: string, outcome: AcceptOutcome) => void;
  /** What waits for review is something else now, though neither the agent nor a review did it. */
  readonly onMoved: (conversationId: string) => void;
  readonly log: Log;
}

/**
 * The conversations' copies of the workspace: opened when they are first needed, and kept open for a while after they
 * were: each costs two processes and a thread.
 */
export class WorkingCopies implements AsyncDisposable {
  readonly #open = new Map<string, Promise<WorkingCopy>>();

  constructor(private readonly options: Options) {}

  /** Where the conversation's copy is kept, or would be. */
  directoryOf(conversationId: string): string {
    return path.join(this.options.directory(), conversationId);
  }

  /** Whether the conversation ever had one; looking costs nothing. */
  exists(conversationId: string): boolean {
    const directory = this.directoryOf(conversationId);
    return (
      this.#open.has(conversationId) ||
      ['layers', 'clone', 'direct'].some(name => existsSync(path.join(directory, name)))
    );
  }

  /** Rejects with the CordonError that says why there can be none. */
  open(conversationId: string): Promise<WorkingCopy> {
    const known = this.#open.get(conversationId);
    if (known) return known;
    const opening = this.options
      .open(this.directoryOf(conversationId))
      .then(copy => ({ ...copy, changes: this.#guarded(conversationId, copy.changes) }));
    this.#open.set(conversationId, opening);
    opening.catch(() => this.#open.delete(conversationId));
    const idle = [...this.#open.keys()].filter(id => id !== conversationId && !this.options.isInUse(id));
    for (const id of idle.slice(0, -mostIdle)) void this.close(id);
    return opening;
  }

  /** Closes the conversation's copy; its changes are kept. */
  async close(conversationId: string): Promise<void> {
    const copy = this.#open.get(conversationId);
    this.#open.delete(conversationId);
    try {
      await (await copy)?.[Symbol.asyncDispose]();
    } catch (error) {
      this.options.log.error(`closing a copy of the workspace: ${messageOf(error)}`);
    }
  }

  /** Closes and removes it, with every change that was not taken over. */
  async remove(conversationId: string): Promise<void> {
    await this.close(conversationId);
    const directory = this.directoryOf(conversationId);
    // Gone by name at once; what it holds may be much.
    const removed = `${directory}.removed`;
    try {
      await rename(directory, removed);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    const { removeTreeSlowly } = await import('../../base/removeTree.ts');
    await removeTreeSlowly(removed);
  }

  /** Closes all of them: each is opened anew when it is needed, as the settings are then. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map(id => this.close(id)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll();
  }

  /** Nothing is taken out from under an agent that is at work. */
  #guarded(conversationId: string, changes: ChangesEngine): ChangesEngine {
    const refuseWhenBusy = () => {
      if (this.options.isBusy(conversationId))
        throw new CordonError(
          'changes.busy',
          'The agent is at work in these files.',
          'Stop it, or wait for its end.',
        );
    };
    return {
      ...changes,
      accept: async choices => {
        const outcome = await changes.accept(choices);
        this.options.onAccepted(conversationId, outcome);
        return outcome;
      },
      undo: async batches => {
        const outcome = await changes.undo(batches);
        this.options.onMoved(conversationId);
        return outcome;
      },
      discard: async choices => {
        refuseWhenBusy();
        return await changes.discard(choices);
      },
      goBack: async name => {
        refuseWhenBusy();
        const before = await changes.goBack(name);
        this.options.onMoved(conversationId);
        return before;
      },
    };
  }
}

/** Copies that are kept open though nothing uses them. */
const mostIdle = 3;
