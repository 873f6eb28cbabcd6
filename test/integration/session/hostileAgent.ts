// An agent that breaks the rules, for the tests beside: it proves its key, then does what the prompt names.
import { readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { proveToBroker } from '../../../src/base/handshake.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly prompt?: readonly { readonly text: string }[] };
}

const bytes = Buffer.alloc(65);
readSync(3, bytes, 0, 65, null);
const sessionId = 's';
let asked = 1_000;
const send = (message: object) =>
  void process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');
const ask = (method: string, params: object) =>
  send({ id: asked++, method, params: { sessionId, ...params } });
const update = (update: object) => send({ method: 'session/update', params: { sessionId, update } });
const say = (text: string) =>
  update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
const cordon = (meta: object) => ({ _meta: { cordon: { toolCallId: 'call', ...meta } } });

const deeds: Readonly<Record<string, () => void>> = {
  garbage: () => void process.stdout.write('Traceback (most recent call last):\n'),
  oversized: () => void process.stdout.write('x'.repeat(20_000_000)),
  batch: () => void process.stdout.write('[]\n'),
  unknownMethod: () => ask('_cordon/grant_everything', {}),
  unknownNotification: () => send({ method: 'session/approve', params: {} }),
  unknownUpdate: () => update({ sessionUpdate: 'approval_granted', id: 'x' }),
  malformedUpdate: () => update({ sessionUpdate: 'tool_call', toolCallId: 7 }),
  relativeWrite: () =>
    ask('fs/write_text_file', { path: 'notes.txt', content: 'x', ...cordon({ expectedSha256: null }) }),
  endlessArguments: () =>
    ask('terminal/create', {
      command: 'echo',
      args: ['x'.repeat(100_000)],
      ...cordon({ background: false }),
    }),
  variables: () =>
    ask('terminal/create', {
      command: 'ls',
      env: [{ name: 'LD_PRELOAD', value: '/x' }],
      ...cordon({ background: false }),
    }),
  unknownEnding: () => undefined,
  deaf: () => say('I do not listen. '),
  exit: () => process.exit(3),
  flood: () => {
    for (let number = 0; number < 200_000; number++) say('ab');
    finish('end_turn');
  },
  manyCalls: () => {
    for (let number = 0; number < 5_000; number++)
      update({ sessionUpdate: 'tool_call', toolCallId: `c${number}`, title: 'x' });
  },
  permission: () =>
    ask('session/request_permission', {
      toolCall: { toolCallId: 'call' },
      options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_always' }],
    }),
  rewrite: () => {
    update({
      sessionUpdate: 'tool_call',
      toolCallId: 'call',
      title: 'The same id as before',
      status: 'completed',
    });
    finish('end_turn');
  },
  claim: () => {
    // Says that it ran something and changed something, and did neither.
    update({
      sessionUpdate: 'tool_call',
      toolCallId: 'call',
      title: 'Edit',
      kind: 'edit',
      status: 'completed',
      content: [{ type: 'diff', path: '/etc/passwd', oldText: '', newText: 'x' }],
    });
    finish('end_turn');
  },
};

let prompt = 0;
const finish = (stopReason: string) => send({ id: prompt, result: { stopReason } });

async function main(): Promise<void> {
  const key = Buffer.from(bytes.toString('latin1', 0, 64), 'hex');
  await proveToBroker(key, process.stdin, process.stdout, AbortSignal.timeout(60_000));
  createInterface(process.stdin).on('line', line => {
    const message = JSON.parse(line) as Message;
    if (message.method === 'initialize')
      send({ id: message.id, result: { protocolVersion: 1, agentCapabilities: {}, authMethods: [] } });
    else if (message.method === 'session/new') send({ id: message.id, result: { sessionId } });
    else if (message.method === 'session/prompt') {
      prompt = message.id ?? 0;
      const deed = message.params?.prompt?.[0]?.text ?? '';
      deeds[deed]?.();
      if (deed === 'unknownEnding') finish('approved');
      if (deed === 'denied writes' || deed === 'fine') finish('end_turn');
    }
  });
}

void main();
