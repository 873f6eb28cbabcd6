import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs scripts in a real bash that finds no program at all, and logs what it would have run instead. What is logged
 * cannot be argued with: it is what bash made of the text.
 */
export class BashOracle implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cordon-oracle-'));

  /** Every command that bash wanted to run, as its words; undefined when bash rejects or does not finish the script. */
  run(script: string, status: 0 | 1): string[][] | undefined {
    const log = join(this.#folder, 'log');
    writeFileSync(log, '');
    try {
      execFileSync('/bin/bash', ['--noprofile', '--norc', '-c', script], {
        cwd: this.#folder,
        env: {
          PATH: '/nowhere',
          HOME: '/nowhere',
          ORACLE_LOG: log,
          // One write for each command: those of a pipeline write at the same time.
          'BASH_FUNC_command_not_found_handle%%': `() { builtin printf -v oracle_words '%s\\1' "$@"; builtin printf '%s\\2' "$oracle_words" >> "$ORACLE_LOG"; return ${status}; }`,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 20_000,
        maxBuffer: 10_000_000,
      });
    } catch (error) {
      // A script that ends badly has still run what it ran; one that bash could not read has run nothing for certain.
      const { stderr, signal } = error as { stderr?: Buffer; signal?: string };
      if (signal) return undefined;
      if (/syntax error|unexpected EOF/.test(stderr?.toString() ?? '')) return logged(log);
    }
    return logged(log);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function logged(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .split('\x02')
    .filter(entry => entry !== '')
    .map(entry => entry.split('\x01').slice(0, -1));
}
