import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** `cordon sandbox`, `cordon doctor` and `cordon home` as a program of their own, with a home and a workspace to work in. */
export interface CommandLine extends Disposable {
  readonly program: string;
  readonly home: string;
  readonly workspace: string;
  /** Runs `cordon WORDS…` to its end. */
  run(
    words: readonly string[],
    options?: { input?: Buffer | string; cwd?: string; environment?: Record<string, string> },
  ): Promise<Outcome>;
  start(
    words: readonly string[],
    options?: { cwd?: string; environment?: Record<string, string> },
  ): ChildProcess;
}

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

export async function buildCommandLine(): Promise<CommandLine> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-cli-')));
  chmodSync(root, 0o755);
  const program = join(root, 'cordon.mjs');
  const [home, workspace] = [join(root, 'home'), join(root, 'my workspace')];
  for (const folder of [home, workspace]) mkdirSync(folder);
  const source = import.meta.dirname;
  await build({
    stdin: {
      contents: `
        import { sandboxCommand } from '../../../src/cli/sandbox.ts';
        import { doctorCommand } from '../../../src/cli/doctor.ts';
        import { homeCommand } from '../../../src/cli/home.ts';
        const [word, ...rest] = process.argv.slice(2);
        const commands = { sandbox: sandboxCommand, doctor: doctorCommand, home: homeCommand };
        process.exitCode = await commands[word](rest);`,
      resolveDir: source,
      loader: 'ts',
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    // Its main file is UMD, which a bundler cannot follow.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  });
  const start: CommandLine['start'] = (words, { cwd, environment } = {}) =>
    spawn(process.execPath, [program, ...words], {
      cwd: cwd ?? workspace,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', ...environment },
      stdio: 'pipe',
    });
  return {
    program,
    home,
    workspace,
    start,
    async run(words, options = {}) {
      const child = start(words, options);
      child.stdin?.on('error', () => undefined).end(options.input ?? '');
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
      const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(resolve => {
        child.once('close', (...ended) => resolve(ended));
      });
      const bytes = Buffer.concat(out);
      return {
        status,
        signal,
        stdout: bytes.toString('utf8'),
        bytes,
        stderr: Buffer.concat(err).toString('utf8'),
      };
    },
    [Symbol.dispose]() {
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
