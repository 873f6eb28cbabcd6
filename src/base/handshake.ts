import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { CordonError } from './errors.ts';

// Broker and agent prove to each other that they hold the key of this start: HMAC-SHA256 over both sides' nonces and
// the prover's role. One line of JSON each way on the agent's stdio, before the first protocol message. Naming the
// role keeps one side's answer from being played back as the other's.

type Role = 'broker' | 'agent';

/** A line longer than this is not a handshake, in bytes. */
const maxLine = 1_024;

/** Broker's side. Rejects, and nothing more is said, unless the agent proves the key. */
export async function proveToAgent(
  key: Buffer,
  input: Readable,
  output: Writable,
  signal: AbortSignal,
): Promise<void> {
  const mine = randomBytes(32).toString('hex');
  output.write(JSON.stringify({ challenge: mine }) + '\n');
  const reply = fields(await readLine(input, signal), ['challenge', 'proof']);
  if (!matches(reply['proof'], proof(key, 'agent', mine, reply['challenge'])))
    throw failed('The agent did not prove the key.');
  output.write(JSON.stringify({ proof: proof(key, 'broker', mine, reply['challenge']) }) + '\n');
}

/** Agent's side. Rejects unless the broker proves the key. */
export async function proveToBroker(
  key: Buffer,
  input: Readable,
  output: Writable,
  signal: AbortSignal,
): Promise<void> {
  const theirs = fields(await readLine(input, signal), ['challenge'])['challenge'];
  const mine = randomBytes(32).toString('hex');
  output.write(JSON.stringify({ challenge: mine, proof: proof(key, 'agent', theirs, mine) }) + '\n');
  const answer = fields(await readLine(input, signal), ['proof']);
  if (!matches(answer['proof'], proof(key, 'broker', theirs, mine)))
    throw failed('The broker did not prove the key.');
}

function proof(key: Buffer, role: Role, brokerNonce: string, agentNonce: string): string {
  return createHmac('sha256', key).update(`cordon ${role} ${brokerNonce} ${agentNonce}`).digest('hex');
}

function matches(given: string, wanted: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(wanted);
  return a.length === b.length && timingSafeEqual(a, b);
}

function fields<Name extends string>(line: string, names: readonly Name[]): Record<Name, string> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw failed('The handshake line is not JSON.', cause);
  }
  const found = {} as Record<Name, string>;
  for (const name of names) {
    const field: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof field !== 'string') throw failed(`The handshake line has no "${name}".`);
    found[name] = field;
  }
  return found;
}

/** Reads up to the first newline and pushes the rest back, so that the protocol after it starts clean. */
function readLine(input: Readable, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen: Buffer = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      input.off('readable', onReadable).off('end', onEnd).off('error', onEnd);
      signal.removeEventListener('abort', onEnd);
      settle();
    };
    const onEnd = () => finish(() => reject(failed('The other side went away during the handshake.')));
    const onReadable = () => {
      for (let chunk: Buffer | null; (chunk = input.read() as Buffer | null) !== null;) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf(10);
        if (end >= 0) {
          const rest = seen.subarray(end + 1);
          const line = seen.subarray(0, end).toString('utf8');
          return finish(() => {
            if (rest.length > 0) input.unshift(rest);
            resolve(line);
          });
        }
        if (seen.length > maxLine) return finish(() => reject(failed('The handshake line is too long.')));
      }
    };
    input.on('readable', onReadable).on('end', onEnd).on('error', onEnd);
    signal.addEventListener('abort', onEnd, { once: true });
    if (signal.aborted) onEnd();
    else onReadable();
  });
}

function failed(message: string, cause?: unknown): CordonError {
  return new CordonError('handshake.failed', message, 'The session was ended; start a new one.', { cause });
}
