import { spawn } from 'node:child_process';
import { Stop } from './steps.mjs';

/**
 * Runs a program quietly, without standard input. Its output is returned, or shown when it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} standard output and standard error, as they came
 * @throws {Stop} when it cannot be started or ends with anything but 0
 */
export async function execute(program, args, options = {}) {
  const result = await attempt(program, args, options);
  if (result.ok) return result.output;
  throw new Stop(`${[program, ...args].join(' ')}\n${result.output.trim()}\n${result.ending}`);
}

/**
 * The same, for whoever wants to go on after a failure.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ ok: boolean, output: string, ending: string }>}
 */
export function attempt(program, args, { cwd, env = process.env } = {}) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', text => (output += text));
    child.stderr.setEncoding('utf8').on('data', text => (output += text));
    child.once('error', error =>
      resolve({ ok: false, output, ending: `It could not be started: ${error.message}` }),
    );
    child.once('close', (code, signal) =>
      resolve({
        ok: code === 0,
        output,
        ending: signal ? `It was ended by ${signal}.` : `It ended with ${code}.`,
      }),
    );
  });
}
