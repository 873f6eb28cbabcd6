import path from 'node:path';
import { execute } from './execute.mjs';

/**
 * Runs the npm that runs us, or else the one on PATH.
 *
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export async function npm(args, cwd) {
  const script = process.env['npm_execpath'];
  const env = npmEnvironment(process.env);
  // npm_execpath may as well be another package manager's; the lock file is npm's.
  return script !== undefined && path.basename(script) === 'npm-cli.js'
    ? execute(process.execPath, [script, ...args], { cwd, env })
    : execute('npm', args, { cwd, env });
}

/**
 * `npm start` hands its own settings down as environment variables, which a second npm takes for orders: a prefix
 * that installs elsewhere, an `omit` that leaves the tools out. Where packages come from and are cached stays.
 *
 * @param {NodeJS.ProcessEnv} outer
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(outer) {
  const kept = Object.entries(outer).filter(([name]) => !handedDown.test(name));
  return Object.fromEntries(kept);
}

const handedDown = new RegExp(
  [
    '^npm_(package|lifecycle|command|node_execpath|execpath)',
    '^npm_config_(prefix|local_prefix|global_prefix|global|location|workspaces?|include_workspace_root|omit|include|only)$',
    '^npm_config_(production|dev|optional|dry_run|package_lock|package_lock_only|ignore_scripts|save.*|yes|json|loglevel)$',
    '^(NODE_ENV|INIT_CWD)$',
  ].join('|'),
  'i',
);
