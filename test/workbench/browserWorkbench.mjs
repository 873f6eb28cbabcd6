import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installCodeServer } from './codeServer.mjs';
import { openDoor } from './door.mjs';
import { workbenchEnvironment } from './environment.mjs';
import { cache } from './paths.mjs';
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
  const running = await runningAddress(note);
  if (running !== undefined) {
    console.log(`\nCordon is running already:\n\n  ${running}\n`);
    return undefined;
  }

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
  writeFileSync(note, JSON.stringify({ address: door.address }), { mode: 0o600 });

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
 * The address of an earlier `npm start`, if it still answers to its token.
 *
 * @param {string} note
 * @returns {Promise<string | undefined>}
 */
async function runningAddress(note) {
  if (!existsSync(note)) return undefined;
  try {
    const { address } = JSON.parse(readFileSync(note, 'utf8'));
    const answer = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(2_000) });
    return answer.status === 302 ? address : undefined;
  } catch {
    return undefined;
  }
}
