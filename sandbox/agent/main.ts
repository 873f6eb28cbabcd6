import { closeSync, readSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { ndJsonStream } from '@agentclientprotocol/sdk';
import { CordonError, messageOf } from '../../src/base/errors.ts';
import { proveToBroker } from '../../src/base/handshake.ts';
import { keyDescriptor } from '../../src/protocol/agent.ts';
import { cordonAgent } from './agent.ts';

// The agent's process: prove the key, then speak ACP on standard input and output until the broker hangs up. Standard
// output carries the protocol and nothing else.

/** The broker answers at once; this long is enough for a machine under load, in milliseconds. */
const handshakeTime = 60_000;

async function main(): Promise<void> {
  console.log = console.info = console.debug = console.warn = console.error;
  const key = readKey();
  await proveToBroker(key, process.stdin, process.stdout, AbortSignal.timeout(handshakeTime));
  key.fill(0);
  const stream = ndJsonStream(
    Writable.toWeb(process.stdout),
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
  );
  await cordonAgent().connect(stream).closed;
}

/** 64 hexadecimal digits and a newline from the inherited descriptor, which is closed before anything else is read. */
function readKey(): Buffer {
  const bytes = Buffer.alloc(65);
  let length = 0;
  try {
    for (let read = 1; read > 0 && length < bytes.length; length += read)
      read = readSync(keyDescriptor, bytes, length, bytes.length - length, null);
    closeSync(keyDescriptor);
  } catch (cause) {
    throw new CordonError(
      'agent.noKey',
      'The agent was started without its key.',
      'It is started by Cordon, not by hand.',
      { cause },
    );
  }
  const text = bytes.toString('latin1', 0, length).trimEnd();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new CordonError('agent.noKey', 'The key handed to the agent is not a key.');
  return Buffer.from(text, 'hex');
}

function fail(error: unknown): never {
  process.stderr.write(`cordon-agent: ${messageOf(error)}\n`);
  process.exit(1);
}

process.on('uncaughtException', fail);
// Something that nobody waited for any more, such as a request of a turn that was stopped. The turn goes on.
process.on('unhandledRejection', error => void process.stderr.write(`cordon-agent: ${messageOf(error)}\n`));
// The broker is gone: there is nobody left to work for.
process.stdout.on('error', () => process.exit(1));
main().then(() => process.exit(0), fail);
