import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type ChatCompletionRequest, type Fixture, LLMock } from '@copilotkit/aimock';

export type Step = Fixture['response'] | Omit<Fixture, 'match'>;

/** A third-party mock of the providers' services behind a Unix socket, answering one step after the other. */
export interface ScriptedModel extends AsyncDisposable {
  readonly socketPath: string;
  /** The same service on a loopback port: `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** What was asked, in the form of Chat Completions whatever the wire. */
  readonly requests: ChatCompletionRequest[];
  /** Everything that was sent, headers and bodies as they came. */
  readonly raw: () => string;
}

export async function scriptedModel(steps: readonly Step[]): Promise<ScriptedModel> {
  const mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 12 });
  const requests: ChatCompletionRequest[] = [];
  let next = 0;
  for (const [index, step] of steps.entries()) {
    const fixture = typeof step === 'object' && 'response' in step ? step : { response: step };
    mock.addFixture({
      ...fixture,
      match: { predicate: () => next === index },
      response: async request => {
        next++;
        requests.push(structuredClone(request));
        return typeof fixture.response === 'function' ? await fixture.response(request) : fixture.response;
      },
    });
  }
  await mock.start();
  const directory = mkdtempSync(path.join(tmpdir(), 'cordon-model-'));
  const socketPath = path.join(directory, 'model.sock');
  const sockets = new Set<net.Socket>();
  let raw = '';
  const server = net.createServer(incoming => {
    const upstream = net.connect(mock.port, '127.0.0.1');
    incoming.on('data', (chunk: Buffer) => (raw += chunk.toString('utf8')));
    incoming.pipe(upstream).pipe(incoming);
    incoming.on('error', () => upstream.destroy()).on('close', () => upstream.destroySoon());
    upstream.on('error', () => incoming.destroy()).on('close', () => incoming.destroySoon());
    for (const socket of [incoming, upstream]) sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    socketPath,
    origin: `http://127.0.0.1:${mock.port}`,
    requests,
    raw: () => raw,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await mock.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A step in which the model calls tools. */
export function calls(...given: [name: string, args: unknown][]): Step {
  return {
    toolCalls: given.map(([name, args], index) => ({
      name,
      arguments: typeof args === 'string' ? args : JSON.stringify(args),
      id: `call_${name}_${index}_${Math.random().toString(36).slice(2, 8)}`,
    })),
  };
}

/** What the tools answered to the model, as the last request shows it. */
export function toolResults(request: ChatCompletionRequest | undefined): string[] {
  return (request?.messages ?? []).flatMap(message =>
    message.role === 'tool' ? [textIn(message.content)] : [],
  );
}

function textIn(content: ChatCompletionRequest['messages'][number]['content']): string {
  return typeof content === 'string' ? content : (content ?? []).map(part => part.text ?? '').join('');
}
