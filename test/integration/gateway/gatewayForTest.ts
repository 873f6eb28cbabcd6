import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGatewayBridge } from '../../../sandbox/agent/gatewayBridge.ts';
import type { Gateway, GatewayEvent, ModelBackend } from '../../../src/gateway/gateway.ts';
import { startGateway } from '../../../src/gateway/server.ts';

export interface GatewayForTest extends AsyncDisposable {
  readonly gateway: Gateway;
  /** `http://127.0.0.1:PORT`, joined to the gateway's socket as in the agent's sandbox. */
  readonly origin: string;
  readonly events: GatewayEvent[];
}

/** A real gateway on a real socket, with the agent's own bridge before it, so that ordinary SDKs reach it. */
export async function gatewayForTest(backend: ModelBackend, maxRequests = 100): Promise<GatewayForTest> {
  const directory = await mkdtemp(join(tmpdir(), 'cordon-gw-'));
  const events: GatewayEvent[] = [];
  const gateway = await startGateway({
    directory,
    backend,
    maxRequests,
    onEvent: event => events.push(event),
  });
  const bridge = await openGatewayBridge(gateway.socketPath);
  return {
    gateway,
    origin: bridge.origin,
    events,
    async [Symbol.asyncDispose]() {
      bridge[Symbol.dispose]();
      await gateway[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Codes of the problems so far, with what the user was told about waiting. */
export function problems(events: readonly GatewayEvent[]): { code: string; retryAfter?: number }[] {
  return events.flatMap(event =>
    event.kind === 'problem'
      ? [{ code: event.code, ...(event.retryAfter === undefined ? {} : { retryAfter: event.retryAfter }) }]
      : [],
  );
}

/** Resolves when the condition holds; a test's own time limit ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 10));
}
