import * as vscode from 'vscode';
import { changeScheme, sideOf } from './changeUri.ts';
import { commentPrompt, type LineComment } from './commentPrompt.ts';

interface Options {
  /** Gives the agent a prompt. */
  readonly send: (prompt: string) => Promise<void>;
  readonly isRunning: () => boolean;
}

/** Comments on lines of the agent's text. They gather, and go to it as one prompt. */
export class LineComments implements vscode.Disposable {
  readonly #controller: vscode.CommentController;
  readonly #threads = new Set<vscode.CommentThread>();

  constructor(private readonly options: Options) {
    this.#controller = vscode.comments.createCommentController('cordon.review', 'Cordon: Review');
    this.#controller.options = {
      prompt: 'Comment for the agent',
      placeHolder: 'What should be different here?',
    };
    this.#controller.commentingRangeProvider = {
      provideCommentingRanges: document =>
        sideOf(document.uri)?.side === 'agent' ? [new vscode.Range(0, 0, document.lineCount - 1, 0)] : [],
    };
  }

  /** Keeps the comment until all are sent. */
  async add({ thread, text }: vscode.CommentReply): Promise<void> {
    if (text.trim() === '') return;
    thread.comments = [...thread.comments, commentOf(text)];
    thread.label = 'For the agent';
    thread.canReply = true;
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    this.#threads.add(thread);
    await this.#tellCount();
  }

  /** Sends this one, and whatever waits besides. While the agent works it is only kept. */
  async addAndSend(reply: vscode.CommentReply): Promise<void> {
    await this.add(reply);
    if (!this.options.isRunning()) await this.send();
  }

  async send(): Promise<void> {
    const comments = this.#comments();
    if (comments.length === 0) {
      void vscode.window.showInformationMessage(
        'Cordon: There are no comments yet. Add one beside a line of a change.',
      );
      return;
    }
    if (this.options.isRunning()) {
      void vscode.window.showWarningMessage(
        'Cordon: The agent is at work. Send the comments when it is done, or stop it.',
      );
      return;
    }
    this.clear();
    await this.options.send(commentPrompt(comments));
  }

  async remove(thread: vscode.CommentThread): Promise<void> {
    this.#threads.delete(thread);
    thread.dispose();
    await this.#tellCount();
  }

  /** Drops all of them. */
  clear(): void {
    for (const thread of this.#threads) thread.dispose();
    this.#threads.clear();
    void this.#tellCount();
  }

  dispose(): void {
    this.clear();
    this.#controller.dispose();
  }

  #comments(): LineComment[] {
    return [...this.#threads].flatMap(({ uri, range, comments }): LineComment[] => {
      const side = sideOf(uri);
      const document = vscode.workspace.textDocuments.find(each => each.uri.toString() === uri.toString());
      if (!side || !range || comments.length === 0) return [];
      const last = Math.min(range.end.line, range.start.line + quotedLines - 1);
      const quote = document
        ? Array.from(
            { length: last - range.start.line + 1 },
            (_, at) => document.lineAt(range.start.line + at).text,
          )
        : [];
      return [
        {
          path: side.path,
          from: range.start.line + 1,
          to: range.end.line + 1,
          quote,
          texts: comments.map(({ body }) => (typeof body === 'string' ? body : body.value)),
        },
      ];
    });
  }

  async #tellCount(): Promise<void> {
    await vscode.commands.executeCommand('setContext', 'cordon.reviewComments', this.#threads.size);
  }
}

export function isThread(value: unknown): value is vscode.CommentThread {
  return (
    typeof value === 'object' &&
    value !== null &&
    'uri' in value &&
    value.uri instanceof vscode.Uri &&
    value.uri.scheme === changeScheme
  );
}

/** Lines of code that go with a comment; the agent can read the rest. */
const quotedLines = 12;

function commentOf(text: string): vscode.Comment {
  return {
    // Plain text: what is typed is what is sent.
    body: text,
    mode: vscode.CommentMode.Preview,
    author: { name: 'You' },
    timestamp: new Date(),
  };
}
