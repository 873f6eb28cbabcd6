import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CordonError } from '../base/errors.ts';

/** Whether SQLite's native module can be loaded: on an older Node it takes the whole process down with it. */
export const isNodeNewEnough = Number(process.versions.node.split('.')[0]) >= 22;

/**
 * Runs this same command line with the Node that npm pinned beside it, with its streams and environment, and resolves
 * to its exit status. Throws `node.tooOld` when there is none.
 */
export async function runWithNewerNode(): Promise<number> {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const pinned = path.join(here, '..', 'node_modules', '.bin', 'node');
  if (!existsSync(pinned)) throw tooOld();
  const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' });
  // The terminal sends its own to both; what somebody sends to this process alone is passed on.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function tooOld(): CordonError {
  return new CordonError(
    'node.tooOld',
    `This command needs Node 22 or newer; this is ${process.version}.`,
    'Run it with a newer Node.',
  );
}
