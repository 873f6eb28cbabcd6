import { HostMessage, type PanelMessage } from '../src/protocol/panel.ts';

/** What VS Code gives a webview, once. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** The panel's end of the line to the host. */
export interface Channel {
  readonly post: (message: PanelMessage) => void;
  /** What `save` kept when this panel was last closed or reloaded; unknown because it may be of another version. */
  readonly saved: unknown;
  save(state: unknown): void;
}

/**
 * Opens the line and says `ready`, exactly once and only after listening has begun, so that no message is missed.
 * What the host sends goes through the schema; anything unknown is dropped and named in the console.
 */
export function openChannel(onMessage: (message: HostMessage) => void): Channel {
  const api = acquireVsCodeApi();
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const message = HostMessage.safeParse(event.data);
    if (message.success) onMessage(message.data);
    else
      console.warn(
        'Cordon: dropped a message that is not of the protocol.',
        message.error.issues.slice(0, 3),
      );
  });
  const post = (message: PanelMessage) => api.postMessage(message);
  const saved = api.getState();
  post({ type: 'ready' });
  return { post, saved, save: state => api.setState(state) };
}
