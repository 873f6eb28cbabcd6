import { once } from 'node:events';
import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { CordonError } from '../base/errors.ts';
import { randomId, shortId } from '../base/ids.ts';
import { noUsage, type Usage } from '../protocol/model.ts';
import type { Gateway, GatewayEvent, GatewayOptions } from './gateway.ts';
import { noTokens, type Tokens } from './meter.ts';
import { type Problem, problemOf, ProblemError } from './problem.ts';
import { attemptOf, readRequest } from './readRequest.ts';
import { relay } from './relay.ts';
import { readRetryAfter, retryDelay, retryHeaders, withLongWait } from './retry.ts';
import { wireError } from './wireError.ts';

/**
 * Starts the model server of one session on a Unix socket of its own. Throws a CordonError `gateway.unsafeDirectory`
 * when the socket would be open to others, `gateway.socketPath` or `gateway.noSocket` when it cannot be made.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const socketPath = join(options.directory, `model-${shortId(randomId())}.sock`);
  await prepareDirectory(options.directory, socketPath);
  const session = new ModelServer(options);
  const server = createServer(
    { requestTimeout: 120_000, keepAliveTimeout: 60_000, maxHeaderSize: 16_384 },
    (incoming, outgoing) => {
      void session.serve(incoming, outgoing);
    },
  );
  // Far more than an agent needs; each may send a whole request.
  server.maxConnections = 16;
  try {
    server.listen(socketPath);
    await once(server, 'listening');
    // Nobody else gets past the directory; the mode is a second lock.
    await chmod(socketPath, 0o600);
    if (options.owner !== undefined) await chown(socketPath, options.owner.uid, options.owner.gid);
  } catch (cause) {
    server.close();
    throw noSocket(options.directory, cause);
  }
  return {
    socketPath,
    token: session.token,
    async [Symbol.asyncDispose]() {
      session.close();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What the server knows between requests: who may ask, what was counted, whether it is over. */
class ModelServer {
  readonly token = randomId();
  readonly #options: GatewayOptions;
  readonly #open = new Set<AbortController>();
  #usage: Usage = noUsage;
  #requests = 0;
  #closed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Ends every request that is being served; what is still said of them is not reported. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }

  /** Answers one request, whatever it is. Never rejects. */
  async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const controller = new AbortController();
    this.#open.add(controller);
    // The agent hung up (or the session ended): the provider is told at once, so that nothing more is charged.
    outgoing.on('close', () => controller.abort());
    outgoing.on('error', () => controller.abort());
    try {
      await this.#answer(incoming, outgoing, controller.signal);
    } catch (error) {
      const isGone = controller.signal.aborted || incoming.errored !== null;
      if (!isGone) this.#fail(outgoing, problemOf(error), attemptOf(incoming), undefined);
    } finally {
      this.#open.delete(controller);
      if (!outgoing.writableEnded) outgoing.destroy();
      // Ends what is left of an answer that was not read to its end.
      controller.abort();
    }
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
    const { backend, maxRequests } = this.#options;
    const request = await readRequest(incoming, backend.wire, this.token);
    if (this.#closed) return;
    if (this.#requests >= maxRequests) throw new ProblemError(budgetSpent(maxRequests));
    this.#requests += 1;
    const answer = await backend.respond(request, signal);
    const streamed = request.body['stream'] === true;
    const onTokens = this.#meter();
    const onNotice = (problem: Problem) => this.#report(problem, undefined);
    try {
      const problem = await relay(
        answer,
        outgoing,
        { wire: backend.wire, name: backend.name, streamed, onTokens, onNotice },
        signal,
      );
      if (problem !== undefined) this.#report(problem, undefined);
    } catch (error) {
      signal.throwIfAborted();
      this.#fail(outgoing, problemOf(error), attemptOf(incoming), readRetryAfter(answer.headers, Date.now()));
    }
  }

  /** Answers with the problem as the wire's own error, and tells the user. */
  #fail(outgoing: ServerResponse, found: Problem, attempt: number, retryAfter: number | undefined): void {
    const problem = withLongWait(found, retryAfter);
    const delay = retryDelay(problem, attempt, retryAfter);
    if (!outgoing.headersSent) {
      outgoing.writeHead(problem.status, { 'content-type': 'application/json', ...retryHeaders(delay) });
      outgoing.end(JSON.stringify(wireError(this.#options.backend.wire, problem)));
    }
    this.#report(problem, delay);
  }

  /** Counts one more request; the function returned takes its tokens, each count replacing the one before. */
  #meter(): (tokens: Partial<Tokens>) => void {
    const before = this.#usage;
    let tokens: Tokens = noTokens;
    this.#usage = { ...before, requests: before.requests + 1 };
    this.#emit({ kind: 'usage', usage: this.#usage });
    return update => {
      const next = { ...tokens, ...update };
      const changed = names.some(name => next[name] !== tokens[name]);
      if (!changed) return;
      // Requests may run side by side, so only this one's difference is added.
      const usage = { ...this.#usage };
      for (const name of names) usage[name] += next[name] - tokens[name];
      tokens = next;
      this.#usage = usage;
      this.#emit({ kind: 'usage', usage });
    };
  }

  #report({ code, message, remedy }: Problem, retryAfter: number | undefined): void {
    this.#emit({
      kind: 'problem',
      code,
      message,
      remedy,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }

  #emit(event: GatewayEvent): void {
    if (!this.#closed) this.#options.onEvent(event);
  }
}

const names = ['inputTokens', 'outputTokens', 'cacheReadTokens'] as const;

function budgetSpent(maxRequests: number): Problem {
  return {
    code: 'gateway.budgetSpent',
    message: `This session has made the ${maxRequests} model requests that it may make.`,
    remedy: 'Start a new conversation.',
    status: 429,
    passes: false,
  };
}

async function prepareDirectory(directory: string, socketPath: string): Promise<void> {
  // What the kernel's sockaddr_un holds, less its final zero byte.
  if (Buffer.byteLength(socketPath) > 107) {
    throw new CordonError(
      'gateway.socketPath',
      `The folder ${directory} has too long a name for a socket.`,
      'Use a shorter run directory (XDG_RUNTIME_DIR or TMPDIR).',
    );
  }
  const found = await ownDirectory(directory);
  const isOurs = found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
  if (isOurs) return;
  throw new CordonError(
    'gateway.unsafeDirectory',
    `The folder ${directory} is open to other users, so no model server was started in it.`,
    'Make it yours alone (chmod 700), or remove it.',
  );
}

async function ownDirectory(directory: string): Promise<Stats> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await lstat(directory);
  } catch (cause) {
    throw noSocket(directory, cause);
  }
}

function noSocket(directory: string, cause: unknown): CordonError {
  return new CordonError(
    'gateway.noSocket',
    `No socket could be made in ${directory}.`,
    'Check that the folder can be written to and that the disk is not full.',
    { cause },
  );
}
