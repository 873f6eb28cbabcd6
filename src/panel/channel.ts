import type * as vscode from 'vscode';
import type { Log } from '../base/log.ts';
import { type HostMessage, maxPanelMessage, PanelMessage } from '../protocol/panel.ts';

interface Options {
  /** The panel has loaded (again) and wants everything. */
  readonly onReady: () => void;
  readonly onMessage: (message: Exclude<PanelMessage, { type: 'ready' }>) => void;
  readonly log: Log;
}

/** The message channel to one webview. Nothing is posted before its `ready`; what does not fit the schema is dropped. */
export class PanelChannel {
  #isReady = false;

  constructor(
    private readonly webview: vscode.Webview,
    private readonly options: Options,
  ) {}

  post(message: HostMessage): void {
    if (this.#isReady) void this.webview.postMessage(message);
  }

  receive(raw: unknown): void {
    const message = parse(raw);
    if (typeof message === 'string') this.options.log.warn(`panel message dropped: ${message}`);
    else if (message.type === 'ready') {
      this.#isReady = true;
      this.options.onReady();
    } else this.options.onMessage(message);
  }
}

/** The message, or why it is none. Exported for tests. */
export function parse(raw: unknown): PanelMessage | string {
  let size: number;
  try {
    size = JSON.stringify(raw)?.length ?? 0;
  } catch {
    return 'not plain data';
  }
  if (size > maxPanelMessage) return `${size} characters, at most ${maxPanelMessage}`;
  const parsed = PanelMessage.safeParse(raw);
  return parsed.success
    ? parsed.data
    : parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}
