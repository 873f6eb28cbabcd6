import type { Socket } from 'node:net';

/** What a program sends while its connection waits for a decision. */
export interface HeldInput {
  /** Aborts when the program hangs up. */
  readonly hungUp: AbortSignal;
  /** Puts back what came meanwhile, for the next reader. */
  release(): void;
}

/** Reads on, within bounds, so that hanging up is noticed: a socket that nobody reads never ends. */
export function holdInput(client: Socket): HeldInput {
  const controller = new AbortController();
  const chunks: Buffer[] = [];
  let held = 0;
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held > mostHeld) client.pause();
  };
  const onGone = () => controller.abort();
  client.on('data', onData).on('end', onGone).on('close', onGone);
  client.resume();
  return {
    hungUp: controller.signal,
    release() {
      client.off('data', onData).off('end', onGone).off('close', onGone);
      client.pause();
      if (held > 0 && !client.destroyed) client.unshift(Buffer.concat(chunks));
    },
  };
}

const mostHeld = 64 * 1024;
