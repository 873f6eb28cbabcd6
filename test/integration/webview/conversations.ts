import type { ApprovalRequest } from '../../../src/protocol/approval.ts';
import type { HostMessage, PanelGate, PanelState } from '../../../src/protocol/panel.ts';
import type {
  ChangedFiles,
  Conversation,
  SessionEvent,
  ToolCallItem,
  TranscriptItem,
} from '../../../src/protocol/transcript.ts';
import { emptyConversation } from '../../../src/protocol/transcript.ts';

// What a host might send: states, conversations and requests to show the panel with.

const folder = '/home/ada/notes';
const now = Date.now();

export function state(changes: Partial<PanelState> = {}): PanelState {
  return {
    gate: { kind: 'open' },
    conversation: emptyConversation('c1'),
    history: [],
    model: { provider: 'demo', label: 'Demo (scripted, no model)' },
    mode: 'sandboxed',
    sandbox: { state: 'holding', label: 'Sandbox holds', detail: '7 of 7 attempts to get out failed' },
    folders: [folder],
    ...changes,
  };
}

export function stateMessage(changes: Partial<PanelState> = {}): HostMessage {
  return { type: 'state', state: state(changes) };
}

export function event(happened: SessionEvent, conversationId = 'c1'): HostMessage {
  return { type: 'event', conversationId, event: happened };
}

export function conversation(changes: Partial<Conversation>): Conversation {
  return { ...emptyConversation('c1'), title: 'Make slugs collapse repeated dashes', ...changes };
}

export function user(id: string, text: string): TranscriptItem {
  return { id, at: now - 60_000, kind: 'user', text };
}

export function assistant(
  id: string,
  text: string,
  streaming: 'streaming' | 'complete' | 'cut' = 'complete',
): TranscriptItem {
  return { id, at: now - 50_000, kind: 'assistant', text, state: streaming };
}

export function toolCall(changes: Partial<ToolCallItem> & { id: string }): ToolCallItem {
  return {
    at: now - 40_000,
    kind: 'toolCall',
    tool: 'other',
    title: 'Tool',
    state: { kind: 'finished', ok: true, took: 12 },
    locations: [],
    diffs: [],
    output: '',
    ...changes,
  };
}

export function changed(count: number, others: number): ChangedFiles {
  const files = Array.from({ length: count }, (_, at) => `${folder}/src/file${at}.js`);
  return { files, count, others };
}

/** A request to run a command. `pointing` lists parts of it that reasons point at. */
export function commandRequest(
  command: string,
  risk: number,
  pointing: readonly (readonly [part: string, message: string])[] = [],
): ApprovalRequest {
  return {
    id: `approval-${command}`,
    conversationId: 'c1',
    toolCallId: 'call',
    at: now,
    subject: {
      kind: 'command',
      command,
      cwd: folder,
      background: false,
      proposals: [{ pattern: 'npm test', description: 'Exactly this' }],
    },
    decision: {
      decision: 'ask',
      risk,
      reasons: pointing.map(([part, message]) => {
        const from = command.indexOf(part);
        return { code: 'test.reason', message, span: [from, from + part.length] };
      }),
    },
  };
}

export function writeRequest(protectedBecause?: string): ApprovalRequest {
  const path = protectedBecause === undefined ? `${folder}/src/slug.js` : `${folder}/.git/hooks/pre-commit`;
  const base = { kind: 'write' as const, folder, path, operation: 'edit' as const };
  return {
    id: `write-${protectedBecause ?? 'folder'}`,
    conversationId: 'c1',
    toolCallId: 'call',
    at: now,
    subject: protectedBecause === undefined ? base : { ...base, protectedBecause },
    decision: { decision: 'ask', risk: 20, reasons: [] },
  };
}

export function folderRequest(access: 'read' | 'write'): ApprovalRequest {
  return {
    id: `folder-${access}`,
    conversationId: 'c1',
    toolCallId: 'call',
    at: now,
    subject: {
      kind: 'folder',
      folder: '/home/ada/library',
      path: '/home/ada/library/src/index.js',
      access,
      around: ['/home/ada/library/src'],
      recent: ['/srv/data'],
    },
    decision: {
      decision: 'ask',
      risk: access === 'read' ? 40 : 70,
      reasons: [{ code: 'folder.read', message: 'It is outside of the workspace.', span: [0, 0] }],
    },
  };
}

export function domainRequest(
  host: string,
  port: number,
  command: string | null = 'npm ci',
  risk = 40,
): ApprovalRequest {
  return {
    id: `domain-${host}`,
    conversationId: 'c1',
    toolCallId: 'call',
    at: now,
    subject: {
      kind: 'domain',
      host,
      port,
      grant: port === 443 || port === 80 ? host : `${host}:${port}`,
      ...(command === null ? {} : { command }),
    },
    decision: {
      decision: 'ask',
      risk,
      reasons: [
        {
          code: 'network.host',
          message: `Whatever the command can read, it could send to ${host}.`,
          span: [0, 0],
        },
      ],
    },
  };
}

/** A command that met every wall. */
export const refusedCall = toolCall({
  id: 'refused',
  tool: 'execute',
  title: 'make release',
  command: 'make release',
  cwd: folder,
  state: { kind: 'finished', ok: false, exit: { code: 2, signal: null }, took: 4_200 },
  output: 'make: *** [release] Error 2\n',
  connections: [
    { host: 'registry.npmjs.org', port: 443, connections: 12, sent: 8_400, received: 2_300_000 },
    { host: 'git.example.com', port: 8443, connections: 1, sent: 120, received: 0 },
  ],
  denials: [
    {
      kind: 'host',
      host: 'docs.example.com',
      port: 443,
      grant: 'docs.example.com',
      words: 'You did not let it reach docs.example.com. You said: Use the copy in docs/.',
    },
    {
      kind: 'host',
      host: 'files.example.com',
      grant: 'files.example.com:8443',
      words: 'It had no way to files.example.com:8443.',
      cured: 'session',
    },
    {
      kind: 'host',
      host: '169.254.169.254',
      words: '169.254.169.254 leads to the machine’s metadata service; it is never reached.',
    },
    {
      kind: 'secretFile',
      path: `${folder}/.env`,
      words: `${folder}/.env is hidden from commands, because it looks like a secret.`,
    },
    {
      kind: 'limit',
      setting: 'cordon.limits.memory',
      words: 'It reached the limit “cordon.limits.memory”.',
    },
    {
      kind: 'protectedPath',
      path: `${folder}/.git/config`,
      words: `No command changes ${folder}/.git/config, because it can make git run a program. The agent’s file tools can, and ask you.`,
    },
  ],
});

const patch = `@@ -1,7 +1,9 @@
 export function slug(title) {
   return title
     .toLowerCase()
-    .replace(/[^a-z0-9]/g, '-');
+    .normalize('NFKD')
+    .replace(/[^a-z0-9]+/g, '-')
+    .replace(/^-|-$/g, '');
 }
`;

const answer = `The slugs keep **one dash per character**, so \`"a  b"\` becomes \`a--b\`. Two changes in \`src/slug.js:4\`:

1. Match *runs* of other characters (\`+\`), not single ones.
2. Trim a dash at either end.

\`\`\`js
// Collapse, then trim.
export function slug(title) {
  const dashed = title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return dashed.replace(/^-|-$/g, ''); // 'a--b' → 'a-b'
}
\`\`\`

| input | before | after |
|:------|:------:|------:|
| \`a  b\` | \`a--b\` | \`a-b\` |
| \`-x-\` | \`-x-\` | \`x\` |

See [the test](test/slug.test.js#L12), or [String.replace](https://developer.mozilla.org/docs/String/replace).`;

/** A whole task, with one of everything. */
export const wholeTask: Conversation = conversation({
  items: [
    user('u1', 'Run the tests, and fix what fails.\nKeep the change small.'),
    {
      id: 'p1',
      at: now,
      kind: 'plan',
      entries: [
        { content: 'Run the tests', priority: 'high', status: 'completed' },
        { content: 'Find out why slugs keep double dashes', priority: 'high', status: 'completed' },
        { content: 'Fix it, and run the tests again', priority: 'medium', status: 'in_progress' },
        { content: 'Say what changed', priority: 'low', status: 'pending' },
      ],
    },
    { id: 't1', at: now, kind: 'thought', text: 'The failing test expects **one** dash.', state: 'complete' },
    toolCall({
      id: 'r1',
      tool: 'read',
      title: 'Read src/slug.js',
      locations: [{ path: `${folder}/src/slug.js`, line: 1 }],
    }),
    toolCall({
      id: 's1',
      tool: 'search',
      title: 'Search for “slug(” in 12 files',
      output: 'src/index.js:3: slug(note.title)',
    }),
    toolCall({
      id: 'x1',
      tool: 'execute',
      title: 'npm test',
      command: 'npm test',
      cwd: folder,
      state: { kind: 'finished', ok: false, exit: { code: 1, signal: null }, took: 1_240 },
      output:
        '\u001B[32m✔ words are counted\u001B[39m\n\u001B[31m✖ slugs collapse dashes\u001B[39m\n\n1 failing\n',
      allowedBy: 'Auto-approved by rule "npm test" (workspace settings)',
    }),
    toolCall({
      id: 'e1',
      tool: 'edit',
      title: 'Edit src/slug.js',
      diffs: [{ path: `${folder}/src/slug.js`, patch, added: 3, removed: 1 }],
    }),
    toolCall({
      id: 'd1',
      tool: 'execute',
      title: 'curl https://example.com',
      command: 'curl https://example.com',
      state: { kind: 'denied', by: 'user', reason: 'No network, please; the docs are in the folder.' },
    }),
    assistant('a1', answer),
    {
      id: 'n1',
      at: now,
      kind: 'notice',
      level: 'warning',
      code: 'gateway.overloaded',
      text: 'The provider is overloaded; trying again in 4 seconds.',
    },
    { id: 'end', at: now, kind: 'turnEnd', reason: 'stopped', commits: 2 },
  ],
  usage: { inputTokens: 11_400, outputTokens: 900, cacheReadTokens: 4_000, requests: 6 },
});

export const history = [
  { id: 'c1', title: 'Make slugs collapse repeated dashes', createdAt: now, updatedAt: now },
  { id: 'c2', title: 'Explain the build', createdAt: now - 9e7, updatedAt: now - 9e7 },
  {
    id: 'c3',
    title: 'A long title that says in too many words what could have been said in a few of them',
    createdAt: 0,
    updatedAt: now - 5e8,
  },
];

export const gates: Record<Exclude<PanelGate['kind'], 'open'>, PanelGate> = {
  untrusted: { kind: 'untrusted' },
  noFolder: { kind: 'noFolder' },
  virtualWorkspace: { kind: 'virtualWorkspace' },
  stopped: { kind: 'stopped' },
  chooseModel: {
    kind: 'chooseModel',
    choices: [
      { provider: 'anthropic', label: 'Anthropic', detail: 'Claude models, with your API key' },
      {
        provider: 'openai',
        label: 'OpenAI or compatible',
        detail: 'OpenAI, OpenRouter, Ollama, llama.cpp, vLLM: an address, and a key where one is needed',
      },
      {
        provider: 'vscode',
        label: 'VS Code’s language models',
        detail: 'What another extension has signed in to',
      },
      {
        provider: 'demo',
        label: 'Demo (scripted, no model)',
        detail: 'Offline. See how Cordon works; nothing leaves this machine',
      },
    ],
  },
  blocked: {
    kind: 'blocked',
    code: 'sandbox.userNamespaces',
    message:
      'Bubblewrap is installed, but this system does not let it create user namespaces (Ubuntu’s AppArmor restriction).',
    remedy:
      'Allow it for Bubblewrap alone:\n\nsudo apt install apparmor-profiles\nsudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/\nsudo systemctl reload apparmor',
  },
};
