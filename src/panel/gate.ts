import { demoLabel, type ProviderId } from '../protocol/model.ts';
import type { PanelGate } from '../protocol/panel.ts';

/** What decides whether the chat is open, gathered by the caller. */
export interface GateFacts {
  readonly folders: readonly { readonly scheme: string }[];
  readonly isTrusted: boolean;
  readonly hasModel: boolean;
  /** The user stopped everything. */
  readonly isStopped: boolean;
  /** Why no sandbox can be had, once that is known. */
  readonly sandboxProblem:
    { readonly code: string; readonly message: string; readonly remedy: string } | undefined;
}

/** What the first run offers, the real models first. */
export const modelChoices: readonly {
  readonly provider: ProviderId;
  readonly label: string;
  readonly detail: string;
}[] = [
  { provider: 'anthropic', label: 'Anthropic', detail: 'Claude models, with your own API key.' },
  {
    provider: 'openai',
    label: 'OpenAI-compatible endpoint',
    detail: 'OpenAI, OpenRouter, Ollama, llama.cpp, vLLM: any address that speaks Chat Completions.',
  },
  {
    provider: 'vscode',
    label: 'VS Code language models',
    detail: 'What this VS Code is signed in to; no key of yours.',
  },
  {
    provider: 'demo',
    label: demoLabel,
    detail: 'Offline and free: see how everything works around a script.',
  },
];

/** The first thing that stands in the way, in the order in which the user can mend them. */
export function gateOf(facts: GateFacts): PanelGate {
  if (facts.folders.length === 0) return { kind: 'noFolder' };
  if (facts.folders.some(folder => folder.scheme !== 'file')) return { kind: 'virtualWorkspace' };
  if (!facts.isTrusted) return { kind: 'untrusted' };
  if (facts.isStopped) return { kind: 'stopped' };
  if (facts.sandboxProblem !== undefined) return { kind: 'blocked', ...facts.sandboxProblem };
  if (!facts.hasModel) return { kind: 'chooseModel', choices: [...modelChoices] };
  return { kind: 'open' };
}
