import { setTimeout as delay } from 'node:timers/promises';
import type { Frame, Locator } from 'playwright-core';

/** What a user does in Cordon's panel, by the accessible names of its controls. */
export class Chat {
  constructor(readonly frame: Frame) {}

  get prompt(): Locator {
    return this.frame.getByRole('textbox', { name: 'Ask Cordon', exact: true });
  }

  /** The first approval request that is open. */
  get card(): Locator {
    return this.frame.getByRole('group', { name: 'Approval request' }).first();
  }

  button(name: string): Locator {
    return this.frame.getByRole('button', { name, exact: true });
  }

  /** A button beside one of the user's messages, which are counted from 0. */
  message(index: number, name: string): Locator {
    return this.frame.locator('.entry-user').nth(index).getByRole('button', { name, exact: true });
  }

  /** Sends a prompt; resolves when it stands in the conversation. */
  async send(text: string): Promise<void> {
    const prompts = this.frame.locator('.user-text');
    const before = await prompts.count();
    await this.prompt.fill(text);
    await this.button('Send').click();
    await prompts.nth(before).waitFor();
  }

  /** Presses a button of the approval card; it may need a moment until it takes. */
  async answer(name: string): Promise<void> {
    const id = await this.card.getAttribute('data-approval');
    const card = this.frame.locator(`[data-approval="${id}"]`);
    await card.locator(':scope:not(.arming)').waitFor();
    await card.getByRole('button', { name, exact: true }).click();
  }

  /** Resolves when no turn runs any more. */
  async idle(): Promise<void> {
    do {
      await this.button('Send').waitFor({ timeout: 60_000 });
      // The prompt stands in the conversation a moment before the turn begins.
      await delay(500);
    } while (!(await this.button('Send').isVisible()));
  }

  /** The last thing that Cordon said, as it is shown. */
  async lastAnswer(): Promise<string> {
    return this.frame.locator('.entry-assistant').last().innerText();
  }
}
