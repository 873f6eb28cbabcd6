import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { proveToAgent, proveToBroker } from '../../src/base/handshake.ts';

const signal = AbortSignal.timeout(5_000);

function channel() {
  return { toAgent: new PassThrough(), toBroker: new PassThrough() };
}

test('two sides with the same key accept each other, and what follows is left untouched', async () => {
  const key = Buffer.alloc(32, 7);
  const { toAgent, toBroker } = channel();
  await Promise.all([
    proveToAgent(key, toBroker, toAgent, signal).then(() => toAgent.write('{"jsonrpc":"2.0"}\n')),
    proveToBroker(key, toAgent, toBroker, signal),
  ]);
  const rest = await new Promise(resolve => toAgent.once('data', resolve));
  expect(String(rest)).toBe('{"jsonrpc":"2.0"}\n');
});

test('an agent with another key is refused', async () => {
  const { toAgent, toBroker } = channel();
  const agent = proveToBroker(Buffer.alloc(32, 1), toAgent, toBroker, AbortSignal.timeout(500)).catch(
    () => 'refused',
  );
  await expect(proveToAgent(Buffer.alloc(32, 2), toBroker, toAgent, signal)).rejects.toMatchObject({
    code: 'handshake.failed',
  });
  expect(await agent).toBe('refused');
});

test('the agent refuses a broker that plays its own proof back', async () => {
  const { toAgent, toBroker } = channel();
  const agent = proveToBroker(Buffer.alloc(32, 1), toAgent, toBroker, signal);
  toAgent.write('{"challenge":"x"}\n');
  const reply = JSON.parse(String(await new Promise(resolve => toBroker.once('data', resolve)))) as {
    proof: string;
  };
  toAgent.write(JSON.stringify({ proof: reply.proof }) + '\n');
  await expect(agent).rejects.toMatchObject({ code: 'handshake.failed' });
});

test('garbage, an endless line and a closed stream each end the handshake', async () => {
  for (const feed of [
    (s: PassThrough) => void s.write('nonsense\n'),
    (s: PassThrough) => void s.write('x'.repeat(5_000)),
    (s: PassThrough) => void s.end(),
  ]) {
    const { toAgent, toBroker } = channel();
    const broker = proveToAgent(Buffer.alloc(32), toBroker, toAgent, signal);
    feed(toBroker);
    await expect(broker).rejects.toMatchObject({ code: 'handshake.failed' });
  }
});
