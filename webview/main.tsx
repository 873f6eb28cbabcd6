import './strict.ts';
import '@vscode/codicons/dist/codicon.css';
import './styles/panel.css';
import { signal } from '@preact/signals';
import { createElement, render } from 'preact';
import type { PanelState } from '../src/protocol/panel.ts';
import { App } from './app.tsx';
import { openChannel } from './channel.ts';
import { registerControls } from './controls/toolkit.ts';
import { HostContext, type Host } from './host.ts';
import { keptFrom, type Kept } from './kept.ts';
import { reduce } from './reducer.ts';

// Builds the panel and connects it, in one read.

registerControls();

const state = signal<PanelState | null>(null);
const focusRequests = signal(0);
const channel = openChannel(message => {
  if (message.type === 'focusPrompt') {
    if (message.text !== undefined) keep({ draft: message.text });
    focusRequests.value += 1;
  } else state.value = reduce(state.value, message);
});

const kept = signal(keptFrom(channel.saved));
function keep(change: Partial<Kept>): void {
  kept.value = { ...kept.value, ...change };
  channel.save(kept.value);
}

const host: Host = { post: channel.post, folders: () => state.value?.folders ?? [] };
const root = document.getElementById('root');
if (root === null) throw new Error('The panel’s document has no root element.');
const app = <App state={state} focusRequests={focusRequests} kept={kept} keep={keep} />;
render(createElement(HostContext.Provider, { value: host }, app), root);
