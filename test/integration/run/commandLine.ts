import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A run of the command line in a world of its own: sample project, state, settings. */
export class Run implements Disposable {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-run-')));
  readonly workspace = path.join(this.folder, 'sample project');
  stdout = '';
  stderr = '';
  #child: ChildProcess | undefined;

  constructor(
    private readonly cli: string,
    private readonly variables: Record<string, string> = {},
  ) {
    cpSync('test/sample', this.workspace, { recursive: true });
    mkdirSync(path.join(this.folder, 'home'));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves to the exit status, or the signal's name. */
  start(...args: string[]): Promise<number | string> {
    this.stdout = '';
    this.stderr = '';
    const child = spawn(process.execPath, [this.cli, ...args], {
      cwd: this.workspace,
      env: {
        PATH: process.env['PATH'],
        HOME: path.join(this.folder, 'home'),
        XDG_STATE_HOME: path.join(this.folder, 'state'),
        ...this.variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    return new Promise(resolve => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** The lines of `--json`. */
  get events(): Record<string, unknown>[] {
    return this.stdout
      .trim()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>);
  }

  /** The items of the conversation as they were last told. */
  get items(): Record<string, unknown>[] {
    const items = new Map<unknown, Record<string, unknown>>();
    for (const { type, item } of this.events) {
      if (type === 'item') items.set((item as { id: string }).id, item as Record<string, unknown>);
    }
    return [...items.values()];
  }

  read(name: string): string {
    return readFileSync(path.join(this.workspace, name), 'utf8');
  }

  exists(name: string): boolean {
    return existsSync(path.join(this.workspace, name));
  }

  /** Everything that the run left on disk, as one text. */
  leftovers(): string {
    const files = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    return files
      .filter(entry => entry.isFile())
      .map(entry => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');
  }

  [Symbol.dispose](): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
