import { CordonError, messageOf } from '../base/errors.ts';
import { randomId, shortId } from '../base/ids.ts';
import type { Gateway, GatewayEvent } from '../gateway/gateway.ts';
import { startGateway } from '../gateway/server.ts';
import type { ApprovalAnswer } from '../protocol/approval.ts';
import { noUsage, wireOf, type Usage } from '../protocol/model.ts';
import {
  emptyConversation,
  type Conversation,
  type SessionStatus,
  type TranscriptItem,
} from '../protocol/transcript.ts';
import { interrupted } from '../store/interrupted.ts';
import { startAgentProcess, type AgentProcess, type AgentRequests, type StopReason } from './agentProcess.ts';
import { Approvals } from './approvals.ts';
import { CommandApproval } from './commandApproval.ts';
import { denialError, deniedByPolicy } from './denial.ts';
import { earlierTurns } from './earlierTurns.ts';
import { FileChanges } from './fileChanges.ts';
import { Questions } from './questions.ts';
import type { Session, SessionOptions } from './session.ts';
import { Terminals } from './terminals.ts';
import { titleOf } from './title.ts';
import { ToolCalls } from './toolCalls.ts';
import { Transcript } from './transcript.ts';
import type { Turn } from './turn.ts';
import { Updates } from './updates.ts';
import { WriteAccess } from './writeAccess.ts';

/** Begins, or takes up again, a conversation. Nothing runs before the first prompt. */
export function startSession(options: SessionOptions): Session {
  return new AgentSession(options);
}

type TurnEnd = Extract<TranscriptItem, { kind: 'turnEnd' }>['reason'];

interface RunningTurn extends Turn {
  readonly controller: AbortController;
  readonly updates: Updates;
  /** A problem of the model's was already told in full. */
  isExplained: boolean;
  isStopped: boolean;
  isOutOfTime: boolean;
  readonly ended: Promise<void>;
  readonly markEnded: () => void;
}

interface RunningAgent {
  readonly process: AgentProcess;
  readonly gateway: Gateway;
}

class AgentSession implements Session {
  readonly id: string;
  readonly #options: SessionOptions;
  readonly #transcript: Transcript;
  readonly #approvals: Approvals;
  readonly #questions: Questions;
  readonly #access: WriteAccess;
  readonly #terminals: Terminals;
  readonly #files: FileChanges;
  #agent: RunningAgent | undefined;
  #turn: RunningTurn | undefined;
  /** Settles when an agent that was stopped has answered or is gone. */
  #quiet: Promise<void> = Promise.resolve();
  #isDisposed = false;

  constructor(options: SessionOptions) {
    const { id, folders, sandbox, unattended, resume = emptyConversation(id) } = options;
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
    this.#approvals = new Approvals(id, this.#transcript);
    this.#questions = new Questions(this.#transcript);
    const remember = (what: 'command' | 'write') => (answer: AlwaysAllow) => options.remember(answer, what);
    const shared = {
      approvals: this.#approvals,
      unattended,
      warn: (code: string, text: string) => this.#notice('warning', code, text),
    };
    this.#access = new WriteAccess({
      ...shared,
      folders,
      standing: options.writableFolders,
      remember: remember('write'),
    });
    const approval = new CommandApproval({
      ...shared,
      policy: options.policy,
      remember: remember('command'),
    });
    this.#terminals = new Terminals({
      folders,
      sandbox,
      approval,
      access: this.#access,
      transcript: this.#transcript,
    });
    this.#files = new FileChanges({ folders, sandbox, programs: options.programs, access: this.#access });
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
    const turn = this.#beginTurn();
    try {
      const earlier = earlierTurns(this.conversation.items, 2 * this.#limits.contextTokens);
      const isFirst = !this.conversation.items.some(({ kind }) => kind === 'user');
      this.#transcript.tell({ type: 'item', item: { id: randomId(), at: Date.now(), kind: 'user', text } });
      if (isFirst) this.#transcript.tell({ type: 'title', title: titleOf(text) });
      this.#status('starting');
      const reason = await this.#run(turn, text, earlier);
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
    this.#agent?.process.cancel();
    // Ends approvals, questions, and whatever waits for them; the turn's own end follows at once.
    turn.controller.abort();
    await turn.ended;
    await this.#quiet;
  }

  answerApproval(id: string, answer: ApprovalAnswer): boolean {
    return this.#approvals.answer(id, answer);
  }

  answerQuestion(id: string, answer: string): boolean {
    return this.#questions.answer(id, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.stop();
    await this.#endAgent();
    await this.#terminals.endAll();
    await this.#quiet;
    this.#transcript.flush();
  }

  get #limits() {
    return this.#options.limits ?? { maxRequests: 60, contextTokens: 150_000 };
  }

  #beginTurn(): RunningTurn {
    const id = randomId().slice(0, 12);
    const controller = new AbortController();
    const calls = new ToolCalls(this.#transcript, id);
    const updates = new Updates(this.#transcript, calls);
    const { promise: ended, resolve: markEnded } = Promise.withResolvers<void>();
    const state = { isExplained: false, isStopped: false, isOutOfTime: false };
    const turn = { id, controller, signal: controller.signal, calls, updates, ended, markEnded, ...state };
    this.#turn = turn;
    return turn;
  }

  async #run(turn: RunningTurn, text: string, earlier: ReturnType<typeof earlierTurns>): Promise<TurnEnd> {
    const clock = this.#watchTime(turn);
    try {
      await this.#quiet;
      if (turn.isStopped) return 'stopped';
      const agent = (this.#agent ??= await this.#startAgent(earlier, turn.signal));
      if (turn.isStopped) return 'stopped';
      this.#status('running');
      const answer = agent.process.prompt(text);
      const stopped = aborted(turn.signal).then(() => 'cancelled' as const);
      const reason = await Promise.race([answer, stopped]);
      if (turn.isStopped) this.#quiet = this.#quieten(agent, answer);
      return turn.isOutOfTime ? 'limit' : ends[reason];
    } catch (error) {
      // An agent that is gone, or was found out, is not asked again; one whose model failed is.
      if (error instanceof CordonError)
        this.#quiet = Promise.all([this.#quiet, this.#endAgent()]).then(() => {});
      if (turn.isStopped) return 'stopped';
      this.#explain(turn, error);
      return 'failed';
    } finally {
      clearInterval(clock);
    }
  }

  #endTurn(turn: RunningTurn, reason: TurnEnd): void {
    turn.controller.abort();
    turn.updates.endMessage(reason === 'done' ? 'complete' : 'cut');
    turn.calls.end();
    // The user does not wait for processes to die, but the next turn does.
    this.#quiet = Promise.all([this.#quiet, this.#terminals.stopForeground()]).then(() => {});
    this.#access.endTurn();
    this.#approvals.settleAll();
    this.#questions.settleAll();
    this.#turn = undefined;
    this.#transcript.tell({
      type: 'item',
      item: { id: randomId(), at: Date.now(), kind: 'turnEnd', reason },
    });
    this.#status('idle');
    turn.markEnded();
  }

  async #startAgent(history: ReturnType<typeof earlierTurns>, signal: AbortSignal): Promise<RunningAgent> {
    const { sandbox, programs, folders, model, backend, runDirectory, log } = this.#options;
    const before = this.conversation.usage;
    const gateway = await startGateway({
      directory: runDirectory,
      backend,
      maxRequests: maxSessionRequests,
      onEvent: event => this.#onGateway(event, before),
    });
    try {
      const start = {
        wire: wireOf(model.provider),
        model: model.model,
        token: gateway.token,
        ...this.#limits,
        history,
      };
      const { socketPath } = gateway;
      const process = await startAgentProcess(
        { sandbox, programs, folders, socketPath, start, requests: this.#requests(), log },
        signal,
      );
      const agent = { process, gateway };
      void process.gone.then(() => this.#forget(agent)).catch(error => log.error(messageOf(error)));
      return agent;
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The agent is gone; the next prompt starts a fresh one with the conversation so far. */
  async #forget(agent: RunningAgent): Promise<void> {
    if (this.#agent !== agent) return;
    this.#agent = undefined;
    // A fresh agent knows nothing of the commands of this one and could not end them.
    await Promise.all([agent.gateway[Symbol.asyncDispose](), this.#terminals.endAll()]);
  }

  async #endAgent(): Promise<void> {
    const agent = this.#agent;
    if (!agent) return;
    await this.#forget(agent);
    await agent.process.kill();
  }

  /** After a stop: an agent that does not answer soon is ended, so that it cannot go on unseen. */
  async #quieten(agent: RunningAgent, answer: Promise<StopReason>): Promise<void> {
    const patience = new Promise<'late'>(resolve => setTimeout(resolve, cancelTime, 'late'));
    const result = await Promise.race([answer.catch(() => 'gone' as const), patience]);
    if (result !== 'late') return;
    this.#options.log.warn(`Session ${shortId(this.id)}: the agent did not answer the stop and was ended.`);
    await this.#forget(agent);
    await agent.process.kill();
  }

  #requests(): AgentRequests {
    const terminals = this.#terminals;
    return {
      update: update => {
        // What still comes after a stop, or between turns, is not shown.
        if (this.#turn && !this.#turn.isStopped) this.#turn.updates.apply(update);
      },
      createTerminal: (request, signal) =>
        this.#within(signal, (turn, both) => terminals.create(request, turn, both)),
      terminalOutput: id => terminals.output(id),
      waitForExit: id => terminals.waitForExit(id),
      killTerminal: id => terminals.kill(id),
      releaseTerminal: id => terminals.release(id),
      writeFile: (request, signal) =>
        this.#within(signal, (turn, both) => this.#files.write(request, turn, both)),
      deleteFile: (request, signal) =>
        this.#within(signal, (turn, both) => this.#files.delete(request, turn, both)),
      askUser: (request, signal) => this.#within(signal, (_, both) => this.#ask(request, both)),
    };
  }

  /** Effects happen within a turn only: outside of one nobody asked for anything. */
  #within<T>(signal: AbortSignal, work: (turn: Turn, signal: AbortSignal) => Promise<T>): Promise<T> {
    const turn = this.#turn;
    if (!turn || turn.signal.aborted)
      throw denialError(deniedByPolicy('It was not done: no turn is running.'));
    return work(turn, AbortSignal.any([signal, turn.signal]));
  }

  async #ask(
    { message, requestedSchema }: Parameters<AgentRequests['askUser']>[0],
    signal: AbortSignal,
  ): Promise<string | null> {
    if (this.#options.unattended !== undefined) return null;
    const { answer } = requestedSchema.properties;
    return await this.#questions.ask(
      message,
      answer.enum ?? answer.oneOf?.map(option => option.const) ?? [],
      signal,
    );
  }

  #onGateway(event: GatewayEvent, before: Usage): void {
    if (event.kind === 'usage') {
      this.#transcript.tell({ type: 'usage', usage: sum(before, event.usage) });
      return;
    }
    const turn = this.#turn;
    if (!turn || turn.isStopped) return;
    const { code, message, remedy, retryAfter } = event;
    if (retryAfter === undefined) turn.isExplained = true;
    const text =
      retryAfter === undefined
        ? `${message} ${remedy}`
        : `${message} Trying again in ${Math.ceil(retryAfter)} s.`;
    // One place for one problem, however often it comes back in this turn.
    this.#notice(retryAfter === undefined ? 'error' : 'warning', code, text, `${turn.id}.${code}`);
  }

  #explain(turn: RunningTurn, error: unknown): void {
    const isOwn = error instanceof CordonError;
    // The agent reports a model's failure in its SDK's words; the gateway has said it better.
    if (turn.isExplained && !isOwn) return;
    this.#notice('error', isOwn ? error.code : 'agent.failed', messageOf(error).slice(0, 4_000));
  }

  #notice(level: 'info' | 'warning' | 'error', code: string, text: string, id = randomId()): void {
    this.#transcript.put({ id, at: Date.now(), kind: 'notice', level, code, text });
    this.#transcript.flush();
  }

  #status(status: SessionStatus): void {
    this.#transcript.tell({ type: 'status', status });
  }

  /** Ends the turn when its working time is over. Time in which the user is being asked does not count. */
  #watchTime(turn: RunningTurn): NodeJS.Timeout {
    let worked = 0;
    return setInterval(() => {
      if (!this.#approvals.isWaiting && !this.#questions.isWaiting) worked += tick;
      if (worked < turnTime || turn.isStopped) return;
      turn.isOutOfTime = true;
      this.#notice(
        'warning',
        'turn.timeLimit',
        'The turn was stopped after 60 minutes of work. Send a message to go on.',
      );
      void this.stop();
    }, tick);
  }
}

type AlwaysAllow = Extract<ApprovalAnswer, { kind: 'alwaysAllow' }>;

/** Model requests that one agent process may make in all. Turns have their own, smaller limit. */
const maxSessionRequests = 10_000;
/** Milliseconds that an agent has to answer a stop. The user does not wait for it: the turn is over at once. */
const cancelTime = 1_000;
/** Milliseconds of work in one turn. */
const turnTime = 60 * 60 * 1_000;
const tick = 10_000;

const ends: Record<StopReason, TurnEnd> = {
  end_turn: 'done',
  max_tokens: 'limit',
  max_turn_requests: 'limit',
  refusal: 'refused',
  cancelled: 'stopped',
};

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function sum(a: Usage, b: Usage): Usage {
  return {
    ...noUsage,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    requests: a.requests + b.requests,
  };
}
