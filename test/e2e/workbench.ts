import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium as playwright } from 'playwright-core';
import { inject, onTestFinished } from 'vitest';
import { openDoor } from '../workbench/door.mjs';
import { workbenchEnvironment } from '../workbench/environment.mjs';
import { copySample } from '../workbench/sample.mjs';
import { startServer } from '../workbench/server.mjs';
import { quietSettings } from '../workbench/settings.mjs';
import { chromium, findProgram } from '../workbench/systemPrograms.mjs';
import { WorkbenchWindow } from './window.ts';

interface WorkbenchOptions {
  /** User settings besides the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Put over the environment of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A user's settings with the demonstration model chosen. */
export const demoChosen = { 'cordon.model.provider': 'demo', 'cordon.model.name': 'demo' };

/**
 * A real VS Code with the packaged extension, as one user has it: profile, extensions and a browser to look at it
 * with. One for each test file; each test opens its own window on its own folder.
 */
export class Workbench implements AsyncDisposable {
  static async start(options: WorkbenchOptions = {}): Promise<Workbench> {
    // Short, because sockets live below it.
    const home = mkdtempSync(path.join(tmpdir(), 'cordon-e2e-'));
    const run = path.join(home, 'run');
    mkdirSync(run, { mode: 0o700 });
    const { extension, codeServer } = inject('workbench');
    const start = () =>
      startServer({
        node: process.execPath,
        entry: codeServer,
        home,
        runFolder: run,
        extension,
        settings: { ...quietSettings, ...options.settings },
        env: { ...workbenchEnvironment(process.env), ...options.environment },
      });
    const [server, browser] = await Promise.all([start(), launchBrowser()]);
    const door = await openDoor({
      socket: server.socket,
      port: 0,
      token: randomBytes(18).toString('base64url'),
      home: '/healthz',
    });
    return new Workbench(home, browser, door, start, server);
  }

  private constructor(
    /** Keeps everything of this user's: `data/User/settings.json`, storage, folders made by `sample`. */
    readonly home: string,
    private readonly browser: Browser,
    private readonly door: Awaited<ReturnType<typeof openDoor>>,
    private readonly startAgain: () => ReturnType<typeof startServer>,
    private server: Awaited<ReturnType<typeof startServer>>,
  ) {}

  /** A fresh copy of the sample project. The name is what its window shows. */
  async sample(name: string): Promise<string> {
    const folder = path.join(this.home, 'projects', name);
    await copySample(folder);
    return folder;
  }

  /** Opens a window of a browser that knows nothing yet: no trust, no secrets, no memory. It closes with the test. */
  async open(folder: string): Promise<WorkbenchWindow> {
    const context = await this.browser.newContext({ viewport: { width: 1360, height: 860 } });
    const page = await context.newPage();
    // Generous: a busy machine must not fail a story.
    page.setDefaultTimeout(45_000);
    await page.goto(this.door.address);
    const { origin } = new URL(this.door.address);
    const window = new WorkbenchWindow(page, `${origin}/?folder=${encodeURIComponent(folder)}`);
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') {
        await window.screenshot(`failed-${path.basename(folder)}`);
        console.error(window.errors().join('\n'));
      }
      await context.close();
    });
    await window.load();
    return window;
  }

  /** Ends VS Code, extension host and all, and starts it again at the same address. Reload the windows afterwards. */
  async restart(): Promise<void> {
    await this.server.stop();
    this.server = await this.startAgain();
  }

  userSettings(): unknown {
    return JSON.parse(readFileSync(path.join(this.home, 'data/User/settings.json'), 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    this.door.close();
    await this.server.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function launchBrowser(): Promise<Browser> {
  const executablePath = findProgram(chromium);
  if (executablePath === undefined) throw new Error('Chromium is needed. `npm test` installs it.');
  return playwright.launch({
    executablePath,
    args: [
      // Chromium's own sandbox cannot start as root or in most containers; it only ever loads the page we serve.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}
