import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installCodeServer } from './codeServer.mjs';
import { openDoor } from './door.mjs';
import { workbenchEnvironment } from './environment.mjs';
import { cache } from './paths.mjs';
import { endTree } from './processTree.mjs';
import { quietSettings } from './settings.mjs';
import { Stop, step } from './steps.mjs';
import { startServer } from './server.mjs';

/** Kept from run to run: the browser files its memory (trust, history, sealed keys) under host and port. */
const usualPort = 8137;

/**
 * Starts code-server behind a door with a token. The token, too, is kept, so that a tab left open finds its way back.
 *
 * @param {{ node: string, extension: { file: string, fingerprint: string }, folder: string }} options
 * @returns what `npm start` needs of it; undefined when it runs already, which has been said then
 */
export async function startInBrowser({ node, extension, folder }) {
  const home = path.join(cache, 'start');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const note = path.join(home, 'running.json');
  const earlier = readNote(note);
  if (earlier !== undefined && (await answers(earlier.address))) {
    console.log(`\nCordon is running already:\n\n  ${earlier.address}\n`);
    return undefined;
  }
  if (earlier !== undefined) await endLeftover(earlier, home);

  const entry = await installCodeServer();
  const runFolder = mkdtempSync(path.join(os.tmpdir(), 'cordon-start-'));
  const server = await step('Starting VS Code', () =>
    startServer({
      node,
      entry,
      home,
      runFolder,
      extension,
      settings: quietSettings,
      env: workbenchEnvironment(process.env),
    }),
  );
  const door = await openDoorSomewhere({
    socket: server.socket,
    token: keptToken(path.join(home, 'token')),
    home: `/?folder=${encodeURIComponent(folder)}`,
  });
  writeFileSync(note, JSON.stringify({ address: door.address, pid: server.pid, runFolder }), { mode: 0o600 });

  return {
    greeting: `\nCordon is ready. Open this in a browser on this machine:\n\n  ${door.address}\n`,
    ended: server.ended.then(log => new Stop(`VS Code ended by itself.\n${log}`)),
    async stop() {
      rmSync(note, { force: true });
      door.close();
      await server.stop();
      rmSync(runFolder, { recursive: true, force: true });
    },
  };
}

/** @param {{ socket: string, token: string, home: string }} behind */
async function openDoorSomewhere(behind) {
  try {
    return await openDoor({ ...behind, port: usualPort });
  } catch {
    console.log(
      `  Port ${usualPort} is taken; another one is used. The browser will ask about trust and keys again.`,
    );
    return openDoor({ ...behind, port: 0 });
  }
}

/** @param {string} file */
function keptToken(file) {
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8');
}

/**
 * What a run of `npm start` leaves for the next one; removed when it stops.
 *
 * @param {string} file
 * @returns {{ address: string, pid: number, runFolder: string } | undefined}
 */
function readNote(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether the address still leads in with its token.
 *
 * @param {string} address
 */
async function answers(address) {
  try {
    const answer = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(2_000) });
    return answer.status === 302;
  } catch {
    return false;
  }
}

/**
 * Ends the server of a run that was killed before it could.
 *
 * @param {{ pid: number, runFolder: string }} earlier
 * @param {string} home
 */
async function endLeftover({ pid, runFolder }, home) {
  try {
    // The number may by now be another process's.
    const isOurs = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .includes(`--user-data-dir=${home}/data`);
    if (isOurs) await endTree(pid);
  } catch {
    // It is gone.
  }
  rmSync(runFolder, { recursive: true, force: true });
}
