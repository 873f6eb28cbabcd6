import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';
import * as z from 'zod';
import { CordonError } from '../../base/errors.ts';

interface Listeners {
  /** A message that wants no answer, but for the protocol's own (`$/…`). Throws a CordonError when it is not acceptable. */
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onViolation: (error: CordonError) => void;
}

/**
 * The agent's stdio as a stream of JSON-RPC messages, one a line. A line that is too long or is no message ends the
 * stream with a CordonError `agent.protocol`; `onViolation` is told first. The library's own stream would answer it
 * and go on, and it drops notifications that it cannot read: those are taken out here, in their order.
 */
export function agentStream(output: Writable, input: Readable, listeners: Listeners): Stream {
  return {
    writable: new WritableStream<AnyMessage>({
      async write(message) {
        if (output.destroyed) throw new CordonError('agent.gone', 'The agent has gone.');
        if (!output.write(JSON.stringify(message) + '\n')) await once(output, 'drain');
      },
    }),
    readable: ReadableStream.from(messages(input, listeners)),
  };
}

/** Bytes of one message. A file that is written comes whole, escaped; nothing else comes near. */
const maxMessage = 16 * 1024 * 1024;

async function* messages(
  input: Readable,
  { onNotification, onViolation }: Listeners,
): AsyncGenerator<AnyMessage> {
  let pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end: number; (end = chunk.indexOf(newline, from)) >= 0; from = end + 1) {
        const line = Buffer.concat([...pieces, chunk.subarray(from, end)]);
        pieces = [];
        size = 0;
        if (line.length > maxMessage) throw violation('sent a message that is too long');
        if (line.length === 0) continue;
        const message = parsed(line);
        if (!('method' in message) || 'id' in message || message.method.startsWith('$/')) yield message;
        else onNotification(message.method, message.params);
      }
      pieces.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > maxMessage) throw violation('sent a message that is too long');
      // An agent that talks without end leaves the host time for everything else.
      await setImmediate();
    }
  } catch (error) {
    if (error instanceof CordonError) onViolation(error);
    throw error;
  }
}

const newline = 10;

const id = z.union([z.string().max(200), z.number()]);
const Envelope = z.union([
  z.looseObject({ jsonrpc: z.literal('2.0'), method: z.string().max(200), id: id.optional() }),
  z
    .looseObject({ jsonrpc: z.literal('2.0'), id, result: z.unknown() })
    .refine(message => 'result' in message),
  z.looseObject({
    jsonrpc: z.literal('2.0'),
    id: id.nullable(),
    error: z.looseObject({ code: z.number(), message: z.string() }),
  }),
]);

function parsed(line: Buffer): AnyMessage {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    throw violation('sent a line that is not JSON');
  }
  const message = Envelope.safeParse(value);
  if (!message.success) throw violation('sent something that is no protocol message');
  return message.data;
}

/** `what` completes "The agent …". */
export function violation(what: string): CordonError {
  return new CordonError(
    'agent.protocol',
    `The agent ${what}, so its session was ended.`,
    'Send your message again to start a fresh one.',
  );
}
