import type { Socket } from 'node:net';
import { ownerOfConnection } from '../../../sandbox/connectionOwner.ts';

/** Which command each connection belongs to, among those that run. */
export class ConnectionOwners {
  readonly #owners = new WeakMap<Socket, string>();

  /** By id; of each the process id on the host, as soon as it is known. */
  constructor(private readonly running: ReadonlyMap<string, { readonly pid: number | undefined }>) {}

  /** Undefined: it could not be told. */
  of(connection: Socket): string | undefined {
    return this.#owners.get(connection);
  }

  /** Finds out whose connection it is, then goes on; at once where only one command runs. */
  find(connection: Socket, goOn: () => void): void {
    const settle = (owner: string | undefined) => {
      if (connection.destroyed) return;
      if (owner !== undefined) this.#owners.set(connection, owner);
      goOn();
    };
    const [only] = this.running.keys();
    if (this.running.size < 2) return settle(only);
    connection.on('error', () => connection.destroy());
    void this.#look(connection).then(settle, () => settle(undefined));
  }

  async #look(connection: Socket): Promise<string | undefined> {
    const running = [...this.running];
    const known = new Map(running.flatMap(([id, { pid }]) => (pid === undefined ? [] : [[id, pid]])));
    const found = await ownerOfConnection(connection, known);
    if (found !== undefined) return found;
    // What is not one of those that are known is the one that is just being started.
    const starting = running.filter(([, { pid }]) => pid === undefined);
    return starting.length === 1 ? starting[0]?.[0] : undefined;
  }
}
