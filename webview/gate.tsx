import type { ComponentChildren } from 'preact';
import type { PanelGate } from '../src/protocol/panel.ts';
import { Button } from './controls/button.tsx';
import { Icon } from './controls/icon.tsx';
import { useHost } from './host.ts';

type Closed = Exclude<PanelGate, { kind: 'open' }>;

/** What stands between the user and the chat, why, and the way on. */
export function Gate({ gate }: { gate: Closed }) {
  const host = useHost();
  switch (gate.kind) {
    case 'untrusted':
      return (
        <Screen icon="workspace-untrusted" title="This workspace is not trusted">
          <p>
            Until you trust the folder, Cordon stays off here: no agent starts, no command runs, and the
            settings that the folder brings are ignored.
          </p>
          <Button kind="primary" onPress={() => host.post({ type: 'manageTrust' })}>
            Manage Workspace Trust
          </Button>
        </Screen>
      );
    case 'noFolder':
      return (
        <Screen icon="folder-opened" title="Open a folder to begin">
          <p>Cordon works on the files of one workspace, and sees nothing else of yours.</p>
          <Button kind="primary" onPress={() => host.post({ type: 'openFolder' })}>
            Open Folder
          </Button>
        </Screen>
      );
    case 'virtualWorkspace':
      return (
        <Screen icon="remote-explorer" title="This workspace has no files on disk">
          <p>
            Cordon’s sandbox needs real files on this machine, and a virtual workspace has none. Open a local
            folder, or connect to the machine that holds the files.
          </p>
          <Button kind="primary" onPress={() => host.post({ type: 'openFolder' })}>
            Open Folder
          </Button>
        </Screen>
      );
    case 'stopped':
      return (
        <Screen icon="stop-circle" title="Everything is stopped" class="blocked">
          <p>
            Every process of every conversation was ended, and what you allowed for a session, a turn or the
            day was taken back. Nothing starts until you resume. Conversations and their changes are kept.
          </p>
          <Button kind="primary" icon="debug-continue" onPress={() => host.post({ type: 'resume' })}>
            Resume
          </Button>
        </Screen>
      );
    case 'chooseModel':
      return <Choices choices={gate.choices} />;
    case 'blocked':
      return (
        <Screen icon="shield" title="Nothing can run yet" class="blocked">
          <p class="blocked-message">{gate.message}</p>
          <h3>How to mend it</h3>
          <pre class="remedy" tabIndex={0} role="group" aria-label="How to mend it">
            {gate.remedy}
          </pre>
          <div class="buttons">
            <Button kind="primary" icon="refresh" onPress={() => host.post({ type: 'recheckSandbox' })}>
              Check again
            </Button>
            <Button icon="copy" onPress={() => void navigator.clipboard.writeText(gate.remedy)}>
              Copy
            </Button>
            <Button onPress={() => host.post({ type: 'showSandboxReport' })}>Show the report</Button>
          </div>
          <p class="code">{gate.code}</p>
        </Screen>
      );
  }
}

function Choices({ choices }: { choices: Extract<Closed, { kind: 'chooseModel' }>['choices'] }) {
  const host = useHost();
  return (
    <Screen icon="sparkle" title="Choose a model">
      <p>
        Requests go straight from this machine to the provider you choose. Keys stay in VS Code’s secret
        storage.
      </p>
      <ul class="choices">
        {choices.map((choice, index) => (
          <li key={index}>
            <button
              type="button"
              class="choice"
              onClick={() => host.post({ type: 'chooseModel', provider: choice.provider })}
            >
              <Icon name={choiceIcons[choice.provider]} />
              <span class="choice-label">{choice.label}</span>
              <span class="choice-detail">{choice.detail}</span>
            </button>
          </li>
        ))}
      </ul>
    </Screen>
  );
}

const choiceIcons = { anthropic: 'sparkle', openai: 'plug', vscode: 'vscode', demo: 'beaker' } as const;

function Screen(props: { icon: string; title: string; class?: string; children: ComponentChildren }) {
  return (
    <section class={`gate ${props.class ?? ''}`} aria-label={props.title}>
      <div class="gate-icon">
        <Icon name={props.icon} />
      </div>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}
