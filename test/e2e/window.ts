import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Frame, Locator, Page } from 'playwright-core';
import { cache } from '../workbench/paths.mjs';

/** What a user does in one VS Code window. Everything waits for what it needs, up to 45 seconds. */
export class WorkbenchWindow {
  /** Everything the browser's console said, and errors that nobody caught. */
  readonly console: string[] = [];

  constructor(
    readonly page: Page,
    private readonly address: string,
  ) {
    page.on('console', message => this.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', error => this.console.push(`error: ${error.stack ?? error.message}`));
  }

  /** Opens the window, or opens it anew. */
  async load(): Promise<void> {
    await this.page.goto(this.address);
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  }

  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible');
  }

  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  /** A notification with this text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast').filter({ hasText: text });
  }

  /** Answers VS Code's question, which comes up by itself in a new folder. */
  async answerTrust(isTrusted: boolean): Promise<void> {
    const name = isTrusted ? 'Yes, I trust the authors' : "No, I don't trust the authors";
    await this.dialog.getByRole('button', { name, exact: true }).click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  /** Trusts the folder later, in the editor that "Manage Workspace Trust" opens. */
  async trustInEditor(): Promise<void> {
    await this.page
      .locator('.workspace-trust-editor')
      .getByRole('button', { name: 'Trust', exact: true })
      .click();
    await this.page.locator('[id="status.workspaceTrust"]').waitFor({ state: 'detached' });
  }

  /** Runs a command of the palette by its whole title, as soon as it is there. */
  async command(title: string): Promise<void> {
    await this.#choose(`>${title}`, startingWith(title));
  }

  /** Opens a file of the workspace by its name. */
  async openFile(name: string): Promise<void> {
    await this.#choose(name, new RegExp(escaped(name)));
  }

  async #choose(text: string, name: RegExp): Promise<void> {
    const row = this.quickInput.getByRole('option', { name }).first();
    for (const until = Date.now() + 60_000; Date.now() < until;) {
      await this.page.keyboard.press('F1');
      try {
        // It closes again when something else takes the keyboard, as a view does that is just coming up.
        await this.quickInput.locator('.quick-input-box input').fill(text, { timeout: 5_000 });
        // Not Enter: the first row may be another one.
        await row.click({ timeout: 5_000 });
        return;
      } catch {
        // An open palette does not learn of new commands.
        await this.page.keyboard.press('Escape');
        await this.quickInput.waitFor({ state: 'hidden' });
      }
    }
    throw new Error(`Nothing is called "${text}".`);
  }

  /** Fills the box of a quick pick or an input box. */
  async type(text: string): Promise<void> {
    await this.quickInput.locator('.quick-input-box input').fill(text);
  }

  /**
   * Picks a row of the open quick pick. Tries until it took: Cordon's own do not take an answer in the first moment.
   *
   * @param name how the row's text begins
   */
  async pick(name: string): Promise<void> {
    const row = this.quickInput.getByRole('option', { name: startingWith(name) }).first();
    await row.waitFor();
    const shown = () => this.quickInput.innerText({ timeout: 1_000 }).catch(() => '');
    const title = await shown();
    for (const until = Date.now() + 20_000; Date.now() < until; await delay(300)) {
      if (!(await row.isVisible()) || (await shown()) !== title) return;
      await row.click({ timeout: 2_000 }).catch(() => {});
      await delay(100);
    }
    throw new Error(`The row "${name}" did not take.`);
  }

  /** Brings the panel into view and returns its document. To be called again after each reload or reopening. */
  async panel(): Promise<Frame> {
    await this.command('Cordon: Open');
    return this.webview('Conversation');
  }

  /** The document of the webview with this title, as soon as one is there. */
  async webview(title: string): Promise<Frame> {
    for (const until = Date.now() + 30_000; Date.now() < until; await delay(100)) {
      for (const frame of this.page.frames()) {
        // A view's own document is two frames deep.
        if (!frame.parentFrame()?.parentFrame()) continue;
        const found = await titleOf(frame).catch(() => undefined);
        if (found === title) return frame;
      }
    }
    throw new Error(`There is no webview "${title}".`);
  }

  /** What went wrong in the browser, without VS Code's complaints about native modules and accounts that we leave out. */
  errors(): string[] {
    return this.console.filter(
      line =>
        line.startsWith('error: ') &&
        !/bindings file|watchdog|status of 404|authentication provider/.test(line),
    );
  }

  /** Content-security violations that the browser reported, in whichever document of this window. */
  violations(): string[] {
    return this.console.filter(line => line.includes('Content Security Policy directive'));
  }

  /** Keeps a picture for a person to look at: `.vscode-test/screenshots/NAME.png`. */
  async screenshot(name: string): Promise<void> {
    // Animations end, so that the picture shows what stays.
    await delay(400);
    await this.page.screenshot({ path: path.join(cache, 'screenshots', `${name}.png`) });
  }
}

async function titleOf(frame: Frame): Promise<string | undefined> {
  const element = await frame.frameElement();
  return element.evaluate(node =>
    node.id === 'active-frame' ? (node.getAttribute('title') ?? '') : undefined,
  );
}

/** Rows are named by label, description and detail; icons and more text follow the label. */
function startingWith(text: string): RegExp {
  return new RegExp(`^${escaped(text)}(,|$)`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
