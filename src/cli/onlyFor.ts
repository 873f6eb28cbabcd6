import { ownerOfConnection } from '../../sandbox/connectionOwner.ts';
import type { NetworkService, SandboxedProcess } from '../../sandbox/sandbox.ts';

/**
 * The same service for one command and what it started. The commands of a named session share a network, and each may
 * reach only the hosts that it was itself allowed: a connection of another one, or of nobody known, is cut.
 */
export function onlyFor(command: Promise<SandboxedProcess>, service: NetworkService): NetworkService {
  const isIts = async (connection: Parameters<NetworkService['accept']>[0]): Promise<boolean> => {
    const { programPid } = await command;
    if (programPid === undefined) return false;
    return (await ownerOfConnection(connection, new Map([['command', programPid]]))) !== undefined;
  };
  return {
    ...service,
    accept(connection, port) {
      connection.on('error', () => connection.destroy());
      isIts(connection).then(
        is => (is ? service.accept(connection, port) : connection.resetAndDestroy()),
        () => connection.resetAndDestroy(),
      );
    },
  };
}
