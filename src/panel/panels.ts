import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { Emitter } from '../base/emitter.ts';
import type { Log } from '../base/log.ts';
import type { HostMessage, PanelMessage, PanelState } from '../protocol/panel.ts';
import { PanelChannel } from './channel.ts';
import { panelDocument } from './document.ts';

interface Options {
  readonly extensionUri: vscode.Uri;
  readonly state: () => PanelState;
  readonly onMessage: (message: Exclude<PanelMessage, { type: 'ready' }>) => void;
  readonly log: Log;
}

const viewId = 'cordon.panel';
const editorType = 'cordon.editor';

/** Every place where the panel shows: the view beside the code, and editor tabs. All show the same conversation. */
export class Panels implements vscode.Disposable {
  /** A panel came into sight or went out of it. */
  readonly visibilityChanged = new Emitter<void>();

  readonly #faces = new Map<vscode.WebviewView | vscode.WebviewPanel, PanelChannel>();
  readonly #registrations: vscode.Disposable[];
  #stateQueued = false;

  constructor(private readonly options: Options) {
    this.#registrations = [
      vscode.window.registerWebviewViewProvider(
        viewId,
        { resolveWebviewView: view => this.#attach(view) },
        { webviewOptions: { retainContextWhenHidden: true } },
      ),
      vscode.window.registerWebviewPanelSerializer(editorType, {
        deserializeWebviewPanel: async panel => this.#attach(panel),
      }),
    ];
  }

  get isVisible(): boolean {
    return [...this.#faces.keys()].some(face => face.visible);
  }

  /** Shows the view and puts the keyboard into the prompt box. */
  async show(): Promise<void> {
    await vscode.commands.executeCommand(`${viewId}.focus`);
    this.post({ type: 'focusPrompt' });
  }

  /** Opens the view and leaves the keyboard where it is. */
  async reveal(): Promise<void> {
    await vscode.commands.executeCommand(`${viewId}.focus`, { preserveFocus: true });
  }

  openInEditor(): void {
    this.#attach(
      vscode.window.createWebviewPanel(editorType, 'Cordon', vscode.ViewColumn.Beside, {
        retainContextWhenHidden: true,
      }),
    );
  }

  post(message: HostMessage): void {
    for (const channel of this.#faces.values()) channel.post(message);
  }

  /** Sends the whole state once after everything that changes now. */
  refresh(): void {
    if (this.#stateQueued) return;
    this.#stateQueued = true;
    queueMicrotask(() => {
      this.#stateQueued = false;
      this.post({ type: 'state', state: this.options.state() });
    });
  }

  dispose(): void {
    for (const registration of this.#registrations) registration.dispose();
    for (const face of this.#faces.keys()) if ('dispose' in face) face.dispose();
  }

  #attach(face: vscode.WebviewView | vscode.WebviewPanel): void {
    const { webview } = face;
    const root = vscode.Uri.joinPath(this.options.extensionUri, 'dist', 'webview');
    const channel: PanelChannel = new PanelChannel(webview, {
      onReady: () => channel.post({ type: 'state', state: this.options.state() }),
      onMessage: this.options.onMessage,
      log: this.options.log,
    });
    this.#faces.set(face, channel);
    webview.options = { enableScripts: true, localResourceRoots: [root], enableForms: false };
    webview.onDidReceiveMessage(message => channel.receive(message));
    const changed = () => this.visibilityChanged.emit();
    if ('onDidChangeVisibility' in face) face.onDidChangeVisibility(changed);
    else face.onDidChangeViewState(changed);
    face.onDidDispose(() => {
      this.#faces.delete(face);
      changed();
    });
    webview.html = panelDocument({
      nonce: randomBytes(16).toString('base64'),
      cspSource: webview.cspSource,
      scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(root, 'panel.js')).toString(),
      styleUri: webview.asWebviewUri(vscode.Uri.joinPath(root, 'panel.css')).toString(),
      title: 'Cordon',
    });
    changed();
  }
}
