import { memo } from 'preact/compat';
import type { Usage } from '../src/protocol/model.ts';
import type { Mode, PanelState, SandboxBadge } from '../src/protocol/panel.ts';
import { Icon } from './controls/icon.tsx';
import { useHost } from './host.ts';
import { tokens } from './quantities.ts';

interface FooterProps {
  readonly model: PanelState['model'];
  readonly mode: Mode;
  readonly sandbox: SandboxBadge;
  readonly usage: Usage;
}

/** What answers, how far it may go, whether the walls hold, and what was used. Each opens its own choice. */
export const Footer = memo(function Footer({ model, mode, sandbox, usage }: FooterProps) {
  const host = useHost();
  const modelName = model?.label ?? 'Choose a model';
  return (
    <footer class="footer">
      <Chip
        icon={model?.provider === 'demo' ? 'beaker' : 'sparkle'}
        name={`Model: ${modelName}`}
        text={modelName}
        class="model"
        onPress={() => host.post({ type: 'chooseModel' })}
      />
      <Chip
        icon={modeIcons[mode]}
        name={`Mode: ${modeWords[mode]}`}
        text={modeWords[mode]}
        class={`mode-${mode}`}
        onPress={() => host.post({ type: 'chooseMode' })}
      />
      <Chip
        icon={sandboxIcons[sandbox.state]}
        name={`Sandbox: ${sandbox.label}. ${sandbox.detail}`}
        text={sandbox.label}
        class={`sandbox-${sandbox.state}`}
        onPress={() => host.post({ type: 'showSandboxReport' })}
      />
      {usage.inputTokens + usage.outputTokens === 0 ? null : <UsageNote usage={usage} />}
    </footer>
  );
});

const modeWords: Record<Mode, string> = {
  locked: 'Locked',
  sandboxed: 'Sandboxed',
  unrestricted: 'Unrestricted',
};
const modeIcons: Record<Mode, string> = { locked: 'lock', sandboxed: 'package', unrestricted: 'warning' };
const sandboxIcons = {
  checking: 'loading',
  holding: 'workspace-trusted',
  failed: 'workspace-unknown',
  off: 'circle-slash',
};

function Chip(props: { icon: string; name: string; text: string; class: string; onPress: () => void }) {
  return (
    <button
      type="button"
      class={`chip ${props.class}`}
      aria-label={props.name}
      title={props.name}
      onClick={props.onPress}
    >
      <Icon name={props.icon} spin={props.icon === 'loading'} />
      <span class="chip-text">{props.text}</span>
    </button>
  );
}

function UsageNote({ usage }: { usage: Usage }) {
  const read = usage.inputTokens + usage.cacheReadTokens;
  const detail =
    `${read.toLocaleString()} tokens read (${usage.cacheReadTokens.toLocaleString()} from the cache), ` +
    `${usage.outputTokens.toLocaleString()} written, in ${usage.requests.toLocaleString()} requests`;
  return (
    <span class="usage" title={detail}>
      <span class="visually-hidden">{detail}</span>
      <span aria-hidden="true">{`${tokens(read + usage.outputTokens)} tokens`}</span>
    </span>
  );
}
