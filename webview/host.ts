import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PanelMessage } from '../src/protocol/panel.ts';
import { absolutePath } from './markdown/fileReference.ts';

/** What a component may do beyond drawing: ask the host. Handed down from main.tsx. */
export interface Host {
  post(message: PanelMessage): void;
  /** Absolute workspace folders. */
  folders(): readonly string[];
}

export const HostContext = createContext<Host>({ post: () => undefined, folders: () => [] });

export function useHost(): Host {
  return useContext(HostContext);
}

/** Opens a file beside the panel; `path` may be relative to a workspace folder. */
export function openFile(host: Host, path: string, line?: number): void {
  const message = { type: 'openFile' as const, path: absolutePath(host.folders(), path).slice(0, 4_096) };
  host.post(line === undefined || line < 1 ? message : { ...message, line });
}
