import { startHolder, type Holder } from './holder.ts';
import { openLoopbackDoor, type LoopbackDoor } from './loopbackDoor.ts';
import type { NetworkService, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/** The network that the commands of a session share: loopback, and the one service of the broker's on it, if any. */
export class SessionNetwork implements AsyncDisposable {
  // So that a server started by one command is reached by the next.
  #holder: Promise<Holder | undefined> | undefined;
  #door: { readonly holder: number; readonly opened: Promise<LoopbackDoor> } | undefined;

  constructor(
    private readonly bwrap: string | undefined,
    private readonly options: Pick<SandboxOptions, 'copyOnWrite' | 'network'>,
    /** Commands run as another user, which takes a holder. */
    private readonly isForOthers = false,
  ) {}

  /** Program and arguments that join the session's namespaces; empty where there are none. */
  async enter(): Promise<readonly string[]> {
    const { copyOnWrite } = this.options;
    if (copyOnWrite?.enter !== undefined) return copyOnWrite.enter;
    if (this.bwrap === undefined) return [];
    if (this.#holder === undefined || !(await this.#holder.catch(() => undefined))?.lives()) {
      // Where it cannot be had, each command has a network of its own: less convenient, not less safe.
      this.#holder = startHolder(this.bwrap, [], this.isForOthers).catch((error: unknown) => {
        if (this.isForOthers) throw sandboxErrors.noWays(error);
        return undefined;
      });
    }
    return (await this.#holder)?.enter ?? [];
  }

  /** What a command is told of the way out; opens it where the first command with this network starts. */
  async environment(): Promise<Readonly<Record<string, string>>> {
    const service = this.options.network;
    if (service === undefined) return {};
    try {
      return await this.#environmentFor(service);
    } catch (error) {
      if (service.onUnavailable === undefined) throw error;
      service.onUnavailable(error);
      return {};
    }
  }

  async #environmentFor(service: NetworkService): Promise<Readonly<Record<string, string>>> {
    const holder = this.options.copyOnWrite?.holder ?? (await this.#holder)?.pid;
    if (holder === undefined) throw sandboxErrors.noNetwork('commands cannot share a network here');
    if (this.#door?.holder !== holder) {
      const before = this.#door?.opened;
      this.#door = {
        holder,
        opened: openLoopbackDoor(holder, service.ports).then(door => {
          serve(door, service);
          return door;
        }),
      };
      close(await before?.catch(() => undefined));
    }
    const { opened } = this.#door;
    try {
      return service.environment((await opened).port);
    } catch (error) {
      // The next command tries anew.
      if (this.#door?.opened === opened) this.#door = undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(await this.#door?.opened.catch(() => undefined));
    await (await this.#holder?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

function serve(door: LoopbackDoor, service: NetworkService): void {
  for (const [at, server] of door.servers.entries()) {
    const address = server.address();
    const port = at === 0 || address === null || typeof address === 'string' ? undefined : address.port;
    server.on('connection', connection => service.accept(connection, port));
    server.maxConnections = mostConnections;
  }
  door.names?.on('message', (query, from) => {
    const answer = service.answerName(query);
    if (answer !== undefined) door.names?.send(answer, from.port, from.address, () => undefined);
  });
  door.names?.on('error', () => undefined);
}

function close(door: LoopbackDoor | undefined): void {
  for (const server of door?.servers ?? []) server.close();
  door?.names?.close();
}

/** Of all commands of a session together. */
const mostConnections = 512;
