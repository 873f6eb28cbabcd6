import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execute } from './execute.mjs';
import { endTree } from './processTree.mjs';
import { Stop } from './steps.mjs';

/**
 * Starts code-server with the extension installed, listening on a Unix socket that only this user may open.
 *
 * @param {object} options
 * @param {string} options.node
 * @param {string} options.entry code-server's main script
 * @param {string} options.home keeps settings, state and extensions; may be used again, by one server at a time
 * @param {string} options.runFolder short path (0700) for sockets and the log
 * @param {{ file: string, fingerprint: string }} options.extension
 * @param {Readonly<Record<string, unknown>>} options.settings user settings to begin with; existing ones stay
 * @param {NodeJS.ProcessEnv} options.env
 * @param {readonly string[]} [options.args] more arguments for code-server
 * @returns {Promise<{ socket: string, pid: number, ended: Promise<string>, stop: () => Promise<void> }>} `ended` brings the log
 */
export async function startServer({ node, entry, home, runFolder, extension, settings, env, args = [] }) {
  const userSettings = path.join(home, 'data/User/settings.json');
  if (!existsSync(userSettings)) {
    mkdirSync(path.dirname(userSettings), { recursive: true });
    writeFileSync(userSettings, `${JSON.stringify(settings, null, 2)}\n`);
  }
  const socket = path.join(runFolder, 'workbench.sock');
  const own = [
    entry,
    // Without these, code-server writes into the person's own configuration.
    `--config=${path.join(runFolder, 'config.yaml')}`,
    `--session-socket=${path.join(runFolder, 'session.sock')}`,
    `--user-data-dir=${path.join(home, 'data')}`,
    `--extensions-dir=${path.join(home, 'extensions')}`,
  ];
  const installed = path.join(home, 'installed');
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== extension.fingerprint) {
    await execute(node, [...own, '--install-extension', extension.file, '--force'], { env });
    writeFileSync(installed, extension.fingerprint);
  }

  const logFile = path.join(runFolder, 'server.log');
  const log = openSync(logFile, 'w');
  const child = spawn(
    node,
    [
      ...own,
      `--socket=${socket}`,
      '--socket-mode=600',
      '--auth=none',
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-getting-started-override',
      '--disable-proxy',
      ...args,
    ],
    { env, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Stop('code-server could not be started.');
  const readLog = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').trim() : '');
  const ended = new Promise(resolve => child.once('exit', () => resolve(readLog())));

  for (const until = Date.now() + 60_000; !(await answers(socket)); await delay(50)) {
    if (child.exitCode === null && child.signalCode === null && Date.now() < until) continue;
    await endTree(pid);
    throw new Stop(`VS Code did not start.\n${readLog()}`);
  }
  return { socket, pid, ended, stop: () => endTree(pid) };
}

/**
 * @param {string} socket
 * @returns {Promise<boolean>}
 */
function answers(socket) {
  return new Promise(resolve => {
    http
      .get({ socketPath: socket, path: '/healthz', timeout: 2_000 }, response => {
        response.resume();
        resolve(response.statusCode === 200);
      })
      .once('error', () => resolve(false));
  });
}
