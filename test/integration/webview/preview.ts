import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { chromium, type Browser, type Page } from 'playwright-core';
import { panelDocument } from '../../../src/panel/document.ts';
import type { HostMessage, PanelMessage } from '../../../src/protocol/panel.ts';
import themes from './themes.json' with { type: 'json' };

// The panel as VS Code would show it, without VS Code: the document with its real content security policy, the bundle
// as it ships, the variables of VS Code's own themes, and a stand-in for `acquireVsCodeApi`. Code for the page is
// written as strings, so that the tests need no types of a browser.

const root = path.resolve(import.meta.dirname, '../../..');
const screenshots = path.join(root, '.vscode-test/screenshots');

export type Theme = keyof typeof themes;
export const allThemes = Object.keys(themes) as Theme[];

/** A browser and the served bundle; one per test file. */
export interface PanelServer extends AsyncDisposable {
  /** Minified bytes of dist/webview/panel.js. */
  readonly scriptBytes: number;
  open(options?: { theme?: Theme; width?: number; height?: number; saved?: unknown }): Promise<Preview>;
}

/** One panel in a page of its own. */
export interface Preview extends AsyncDisposable {
  readonly page: Page;
  /** Sends what the host would send and lets the panel draw it. */
  send(...messages: HostMessage[]): Promise<void>;
  /** Anything at all, to see that it is refused. */
  sendRaw(message: unknown): Promise<void>;
  /** Everything that the panel has posted, in order. */
  posted(): Promise<PanelMessage[]>;
  /** What the panel kept with `setState`. */
  saved(): Promise<unknown>;
  /** Reports of the content security policy and errors, in words. */
  violations(): Promise<string[]>;
  screenshot(name: string): Promise<void>;
}

export async function servePanel(): Promise<PanelServer> {
  const dist = mkdtempSync(path.join(tmpdir(), 'cordon-panel-'));
  execFileSync(process.execPath, ['esbuild.mjs', '--production', '--only', 'panel', '--out', dist], {
    cwd: root,
  });
  const file = (name: string) => readFileSync(path.join(dist, 'webview', name));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const reply = (type: string, body: Buffer | string) =>
      response.writeHead(200, { 'content-type': type }).end(body);
    const name = path.basename(url.pathname);
    if (url.pathname === '/')
      reply('text/html', document(`http://${request.headers.host}`, url.searchParams.get('theme') as Theme));
    else if (name === 'theme.css') reply('text/css', themeCss(url.searchParams.get('theme') as Theme));
    else if (name === 'panel.js') reply('text/javascript', file(name));
    else if (name === 'panel.css') reply('text/css', file(name));
    else if (name === 'codicon.ttf') reply('font/ttf', file(name));
    else response.writeHead(404).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The preview server has no port.');
  const origin = `http://127.0.0.1:${address.port}`;
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  return {
    scriptBytes: file('panel.js').length,
    open: options => openPreview(browser, origin, options ?? {}),
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      rmSync(dist, { recursive: true, force: true });
    },
  };
}

async function openPreview(
  browser: Browser,
  origin: string,
  {
    theme = 'vscode-dark',
    width = 380,
    height = 760,
    saved,
  }: { theme?: Theme; width?: number; height?: number; saved?: unknown },
): Promise<Preview> {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const troubles: string[] = [];
  page.on('pageerror', error => troubles.push(`error: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  page.on('request', request => {
    if (!request.url().startsWith(origin)) troubles.push(`request: ${request.url()}`);
  });
  await page.addInitScript(`
    window.testPosted = [];
    window.testState = ${JSON.stringify(saved ?? null)} ?? undefined;
    window.testViolations = [];
    document.addEventListener('securitypolicyviolation', event =>
      testViolations.push(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample));
    let acquired = false;
    window.acquireVsCodeApi = () => {
      if (acquired) throw new Error('acquired twice');
      acquired = true;
      return {
        postMessage: message => void testPosted.push(structuredClone(message)),
        getState: () => testState,
        setState: state => void (window.testState = structuredClone(state)),
      };
    };
  `);
  await page.goto(`${origin}/?theme=${theme}`);
  const sendRaw = (message: unknown) =>
    page.evaluate(`
    window.postMessage(${JSON.stringify(message)}, '*');
    new Promise(resolve => setTimeout(() => requestAnimationFrame(() => setTimeout(resolve)), 20))`) as Promise<void>;
  return {
    page,
    sendRaw,
    async send(...messages) {
      for (const message of messages) await sendRaw(message);
    },
    posted: () => page.evaluate('testPosted'),
    saved: () => page.evaluate('testState'),
    async violations() {
      const reported: string[] = await page.evaluate('testViolations');
      return [...reported.map(text => `violation: ${text}`), ...troubles];
    },
    async screenshot(name) {
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: path.join(screenshots, `panel-${name}.png`) });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

// VS Code sets the variables and the class of the theme from outside; here a style sheet of the same origin does.
function document(origin: string, theme: Theme): string {
  return panelDocument({
    nonce: randomBytes(16).toString('base64url'),
    cspSource: origin,
    scriptUri: `${origin}/panel.js`,
    styleUri: `${origin}/panel.css`,
    title: 'Cordon',
  })
    .replace('<link rel="stylesheet"', `<link rel="stylesheet" href="${origin}/theme.css?theme=${theme}">$&`)
    .replace('<body>', `<body class="${bodyClass(theme)}" data-vscode-theme-kind="${theme}">`);
}

function bodyClass(theme: Theme): string {
  return theme === 'vscode-high-contrast-light' ? `${theme} vscode-high-contrast` : theme;
}

// After the variables, the kind of rules that VS Code adds to every webview, in its low-ranking layer.
function themeCss(theme: Theme): string {
  const variables = Object.entries(themes[theme]).map(([name, value]) => `${name}: ${value};`);
  return `:root { ${variables.join('\n')} }
    html { background: var(--vscode-sideBar-background); }
    @layer vscode-default {
      body { padding: 0 20px; color: var(--vscode-editor-foreground); }
      a, a code { color: var(--vscode-textLink-foreground); }
      code { padding: 1px 3px; color: var(--vscode-textPreformat-foreground); background: var(--vscode-textPreformat-background); }
      textarea:focus, input:focus { outline: 1px solid -webkit-focus-ring-color; }
    }`;
}
