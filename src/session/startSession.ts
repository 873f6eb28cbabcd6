import { realpath } from 'node:fs/promises';
import { CordonError, messageOf } from '../base/errors.ts';
import { randomId, shortId } from '../base/ids.ts';
import type { ApprovalAnswer } from '../protocol/approval.ts';
import {
  emptyConversation,
  type Conversation,
  type SessionStatus,
  type TranscriptItem,
} from '../protocol/transcript.ts';
import { interrupted } from '../store/interrupted.ts';
import type { StopReason } from './agent/agentProcess.ts';
import { agentRequests } from './agent/agentRequests.ts';
import { SessionAgent } from './agent/sessionAgent.ts';
import { countCommits } from './changes/countCommits.ts';
import { TurnChanges } from './changes/turnChanges.ts';
import { isCopy } from './changes/workingCopy.ts';
import { Terminals } from './commands/terminals.ts';
import { openConsent, type Consent } from './consent/consent.ts';
import type { CureTerm } from './consent/cures.ts';
import { Questions } from './consent/questions.ts';
import { SessionGrants } from './consent/sessionGrants.ts';
import { FileChanges } from './files/fileChanges.ts';
import { FileReading } from './files/fileReading.ts';
import type { Place } from './files/place.ts';
import { unsavedBeside, type UnsavedText } from './files/unsavedText.ts';
import type { Session, SessionOptions } from './session.ts';
import { earlierTurns } from './transcript/earlierTurns.ts';
import { Notices } from './transcript/notices.ts';
import { titleOf } from './transcript/title.ts';
import { Transcript } from './transcript/transcript.ts';
import { beginTurn, type RunningTurn } from './turn.ts';
import { timeWords, turnTime, watchWorkingTime } from './workingTime.ts';

/** Begins, or takes up again, a conversation. Nothing runs before the first prompt. */
export function startSession(options: SessionOptions): Session {
  return new AgentSession(options);
}

type TurnEnd = Extract<TranscriptItem, { kind: 'turnEnd' }>['reason'];

class AgentSession implements Session {
  readonly id: string;
  readonly grants: SessionGrants;
  readonly #options: SessionOptions;
  readonly #transcript: Transcript;
  readonly #consent: Consent;
  readonly #questions: Questions;
  readonly #terminals: Terminals;
  readonly #changes: TurnChanges;
  readonly #agent: SessionAgent;
  readonly #notices: Notices;
  readonly #unsaved: UnsavedText | undefined;
  #turn: RunningTurn | undefined;
  /** Settles when nothing of an earlier turn is under way any more: an agent that was stopped, commands. */
  #quiet: Promise<void> = Promise.resolve();
  #isDisposed = false;
  readonly #listening: Disposable[] = [];

  constructor(options: SessionOptions) {
    const { id, folders, sandbox, network, resume = emptyConversation(id) } = options;
    this.id = id;
    this.#options = options;
    const conversation = {
      ...emptyConversation(id),
      ...resume,
      id,
      status: 'idle' as const,
      approvals: [],
      questions: [],
    };
    const items = conversation.items.map(interrupted);
    this.#transcript = new Transcript({ ...conversation, items }, options.onEvent, options.log);
    this.#notices = new Notices(this.#transcript);
    this.#questions = new Questions(this.#transcript);
    this.#changes = new TurnChanges(options.workingCopy, options.log);
    const consent = (this.#consent = openConsent(options, this.#transcript, this.#notices));
    const { access, outside, hidden, cures } = consent;
    this.grants = new SessionGrants(consent.commands, access, cures, () =>
      this.#first(this.recheck('grants')),
    );
    const unsaved = (this.#unsaved = options.unsaved && unsavedBeside(options.workingCopy, options.unsaved));
    this.#terminals = new Terminals({
      folders,
      sandbox,
      network,
      approval: consent.commands,
      access,
      changes: this.#changes,
      outside,
      transcript: this.#transcript,
      shown: cures.shown,
      wallTime: options.limits?.wallTime,
    });
    const requests = agentRequests({
      turn: () => this.#turn,
      terminals: this.#terminals,
      files: new FileChanges({
        folders,
        sandbox,
        programs: options.programs,
        access,
        changes: this.#changes,
        outside,
        trash: options.trash,
        unsaved,
        isCopy: isCopy(options.workingCopy),
        onUnsavedChanged: (place, text) => this.#workedFrom(place, text),
      }),
      reading: new FileReading({ folders, access: outside, hidden, unsaved }),
      questions: this.#questions,
      canAsk: options.unattended === undefined,
    });
    this.#agent = new SessionAgent({
      ...options,
      limits: this.#limits,
      workspace: isCopy(options.workingCopy) ? 'copy' : 'direct',
      requests,
      usage: () => this.conversation.usage,
      onUsage: usage => this.#transcript.tell({ type: 'usage', usage }),
      onProblem: problem => this.#notices.problem(this.#turn, problem),
      // A fresh agent knows nothing of the commands of this one and could not end them.
      onGone: () => this.#first(this.#terminals.endAll()),
    });
    if (unsaved) this.#listening.push(unsaved.onChange(() => this.#tellUnsaved()));
    if (options.folderGrants) {
      this.#listening.push(options.folderGrants.revoked.on(() => this.#first(this.recheck('grants'))));
    }
  }

  get conversation(): Conversation {
    return this.#transcript.conversation;
  }

  async prompt(text: string): Promise<void> {
    if (this.#isDisposed)
      throw new CordonError('session.over', 'This session is over.', 'Start a new conversation.');
    if (this.#turn)
      throw new CordonError(
        'session.busy',
        'A turn is running already.',
        'Stop it first, or wait for its end.',
      );
    const turn = (this.#turn = beginTurn(this.#transcript));
    try {
      const earlier = earlierTurns(this.conversation.items, 2 * this.#limits.contextTokens);
      const isFirst = !this.conversation.items.some(({ kind }) => kind === 'user');
      const itemId = randomId();
      this.#transcript.tell({ type: 'item', item: { id: itemId, at: Date.now(), kind: 'user', text } });
      if (isFirst) this.#transcript.tell({ type: 'title', title: titleOf(text) });
      this.#status('starting');
      const reason = await this.#run(turn, { itemId, text }, earlier);
      this.#endTurn(turn, reason);
    } catch (error) {
      // What is broken here is ours; the turn must end all the same.
      this.#options.log.error(`Session ${shortId(this.id)}: ${messageOf(error)}`);
      this.#endTurn(turn, 'failed');
    }
  }

  async stop(): Promise<void> {
    const turn = this.#turn;
    if (!turn || turn.isStopped) return;
    turn.isStopped = true;
    this.#status('stopping');
    this.#agent.cancel();
    // Ends approvals, questions, and whatever waits for them; the turn's own end follows at once.
    turn.controller.abort();
    await turn.ended;
    await this.#quiet;
  }

  answerApproval(id: string, answer: ApprovalAnswer): boolean {
    return this.#consent.approvals.answer(id, answer);
  }

  answerQuestion(id: string, answer: string): boolean {
    return this.#questions.answer(id, answer);
  }

  liftDenial(itemId: string, index: number, how: CureTerm): boolean {
    return this.#consent.cures.lift(itemId, index, how);
  }

  recheck(what: 'grants' | 'rules'): Promise<void> {
    return this.#terminals.recheck(what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const listening of this.#listening) listening[Symbol.dispose]();
    // Nothing here waits for an agent that is asked to stop, or for its turn to end.
    await Promise.all([this.stop(), this.#agent.end(), this.#terminals.endAll()]);
    // What came up in between.
    await this.#agent.end();
    await this.#terminals.endAll();
    await this.#quiet;
    this.#transcript.flush();
  }

  get #limits() {
    return this.#options.limits ?? { maxRequests: 60, contextTokens: 150_000 };
  }

  get #turnTime(): number {
    return this.#options.limits?.turnTime ?? turnTime;
  }

  async #run(
    turn: RunningTurn,
    prompt: { readonly itemId: string; readonly text: string },
    earlier: ReturnType<typeof earlierTurns>,
  ): Promise<TurnEnd> {
    const isWaiting = () => this.#consent.approvals.isWaiting || this.#questions.isWaiting;
    const clock = watchWorkingTime(this.#turnTime, isWaiting, () => this.#endInTime(turn));
    try {
      await this.#quiet;
      await this.#changes.begin(prompt.itemId, this.#terminals.isQuiet);
      turn.changed = await this.#changes.watch();
      if (turn.isStopped) return stoppedBy(turn);
      const agent = await this.#agent.ready(earlier, turn.signal);
      if (turn.isStopped) return stoppedBy(turn);
      this.#status('running');
      if (this.#unsaved) agent.tellUnsaved(this.#unsaved.paths());
      const answer = agent.prompt(prompt.text);
      const stopped = aborted(turn.signal).then(() => 'cancelled' as const);
      const reason = await Promise.race([answer, stopped]);
      if (turn.isStopped) this.#first(this.#agent.quieten(answer));
      return turn.isOutOfTime ? 'limit' : ends[reason];
    } catch (error) {
      // An agent that is gone, or was found out, is not asked again; one whose model failed is.
      if (error instanceof CordonError) this.#first(this.#agent.end());
      if (turn.isStopped) return stoppedBy(turn);
      this.#notices.failure(turn, error);
      return 'failed';
    } finally {
      clock[Symbol.dispose]();
    }
  }

  #endTurn(turn: RunningTurn, reason: TurnEnd): void {
    turn.controller.abort();
    turn.updates.endMessage(reason === 'done' ? 'complete' : 'cut');
    this.#consent.approvals.settleAll();
    turn.calls.end();
    // The user does not wait for processes to die, but the next turn does.
    const quiet = this.#terminals.stopForeground();
    this.#first(quiet);
    this.#consent.access.endTurn();
    this.#consent.outside.endTurn();
    this.#consent.hidden.endTurn();
    this.#questions.settleAll();
    this.#turn = undefined;
    const item = { id: randomId(), at: Date.now(), kind: 'turnEnd', reason } as const;
    this.#transcript.tell({ type: 'item', item });
    this.#first(quiet.then(() => this.#tellChanges(turn, item)));
    this.#status('idle');
    turn.markEnded();
  }

  async saved(): Promise<void> {
    if (this.#turn) await this.#changes.follow(() => this.#terminals.isQuiet);
  }

  async #workedFrom({ folder, relative: [, path] }: Place, text: string): Promise<void> {
    const { workingCopy } = this.#options;
    await workingCopy?.changes.workedFrom?.({ folder: await realpath(folder), path }, text);
    this.#tellUnsaved();
  }

  #tellUnsaved(): void {
    if (this.#unsaved) this.#agent.tellUnsaved(this.#unsaved.paths());
  }

  /** Reading them takes its time, and the user need not wait for it. */
  async #tellChanges(turn: RunningTurn, item: Extract<TranscriptItem, { kind: 'turnEnd' }>): Promise<void> {
    const changed = await turn.changed?.();
    if (!changed) return;
    this.#transcript.tell({ type: 'item', item: { ...item, changed } });
    if (changed.count + changed.others === 0) return;
    const { folders, sandbox } = this.#options;
    const commits = await countCommits(folders, sandbox);
    if (commits > 0) this.#transcript.tell({ type: 'item', item: { ...item, changed, commits } });
  }

  /** What must be over before the next turn begins, and before the session is disposed. */
  #first(work: Promise<void>): void {
    const failed = (error: unknown) =>
      this.#options.log.error(`Session ${shortId(this.id)}: ${messageOf(error)}`);
    this.#quiet = Promise.all([this.#quiet, work.catch(failed)]).then(() => {});
  }

  #status(status: SessionStatus): void {
    this.#transcript.tell({ type: 'status', status });
  }

  #endInTime(turn: RunningTurn): void {
    if (turn.isStopped) return;
    turn.isOutOfTime = true;
    this.#notices.tell(
      'warning',
      'turn.timeLimit',
      `The turn was stopped after ${timeWords(this.#turnTime)} of work. Send a message to go on.`,
    );
    this.stop().catch((error: unknown) => this.#options.log.error(messageOf(error)));
  }
}

const ends: Record<StopReason, TurnEnd> = {
  end_turn: 'done',
  max_tokens: 'limit',
  max_turn_requests: 'limit',
  refusal: 'refused',
  cancelled: 'stopped',
};

function stoppedBy(turn: RunningTurn): TurnEnd {
  return turn.isOutOfTime ? 'limit' : 'stopped';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
