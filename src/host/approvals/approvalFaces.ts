import * as vscode from 'vscode';
import type { ApprovalAnswer, ApprovalRequest } from '../../protocol/approval.ts';
import type { SessionEvent } from '../../protocol/transcript.ts';
import { askByQuickPick, askForFolder, askForRule } from './approvalQuickPick.ts';
import { approvalSurface } from '../settings.ts';

interface Options {
  readonly panelVisible: () => boolean;
  readonly showPanel: () => Promise<void>;
  readonly waiting: () => readonly ApprovalRequest[];
  /** False when another face was answered first. */
  readonly answer: (id: string, answer: ApprovalAnswer) => Promise<boolean>;
  /** What a permission would have done to past commands, in a sentence. */
  readonly tryOnPast: (pattern: string) => Promise<string>;
}

/**
 * Puts each approval request before the user: the card is the panel's, the quick pick and the notification are here.
 * Whichever is answered first wins; the others close. Closing one without an answer leaves the request open.
 */
export class ApprovalFaces implements Disposable {
  /** Requests whose quick pick waits its turn or is open. */
  readonly #open = new Map<string, AbortController>();
  #queue: Promise<void> = Promise.resolve();

  constructor(private readonly options: Options) {}

  onEvent(event: SessionEvent): void {
    if (event.type === 'approval') this.#present(event.request);
    if (event.type === 'approvalSettled') {
      this.#open.get(event.id)?.abort();
      this.#open.delete(event.id);
    }
    if (event.type === 'approval' || event.type === 'approvalSettled') {
      void vscode.commands.executeCommand(
        'setContext',
        'cordon.approvalWaiting',
        this.options.waiting().length > 0,
      );
    }
  }

  /** Brings up the quick pick for the oldest request that waits; for the command and the status bar. */
  askNow(): void {
    const [request] = this.options.waiting();
    if (request === undefined) void vscode.window.showInformationMessage('Cordon: no approval is waiting.');
    else this.#enqueue(request);
  }

  /** The card's "Always allow…": pattern and scope by quick pick. */
  chooseRule(id: string): Promise<void> {
    return this.#fromCard(id, (request, signal) => askForRule(request, this.options.tryOnPast, signal));
  }

  /** The card's "Another folder…". */
  chooseFolder(id: string): Promise<void> {
    return this.#fromCard(id, askForFolder);
  }

  async #fromCard(
    id: string,
    ask: (request: ApprovalRequest, signal: AbortSignal) => Promise<ApprovalAnswer | undefined>,
  ): Promise<void> {
    const request = this.options.waiting().find(each => each.id === id);
    if (request === undefined) return;
    // The card is being answered: its own quick pick, if one is open, makes way.
    this.#open.get(id)?.abort();
    const controller = new AbortController();
    this.#open.set(id, controller);
    const answer = await ask(request, controller.signal);
    if (answer !== undefined) await this.options.answer(id, answer);
    this.#open.delete(id);
  }

  [Symbol.dispose](): void {
    for (const controller of this.#open.values()) controller.abort();
    this.#open.clear();
  }

  #present(request: ApprovalRequest): void {
    const surface = approvalSurface();
    if (surface === 'quickPick' || (surface === 'both' && !this.options.panelVisible()))
      this.#enqueue(request);
    else if (!this.options.panelVisible()) void this.#notify();
  }

  async #notify(): Promise<void> {
    const shown = await vscode.window.showInformationMessage('Cordon is waiting for your approval.', 'Show');
    if (shown === 'Show') await this.options.showPanel();
  }

  /** One quick pick at a time, in the order of the requests. */
  #enqueue(request: ApprovalRequest): void {
    if (this.#open.has(request.id)) return;
    const controller = new AbortController();
    this.#open.set(request.id, controller);
    this.#queue = this.#queue.then(async () => {
      const answer = await askByQuickPick(request, this.options.tryOnPast, controller.signal);
      if (this.#open.get(request.id) === controller) this.#open.delete(request.id);
      if (answer !== undefined) await this.options.answer(request.id, answer);
    });
  }
}
