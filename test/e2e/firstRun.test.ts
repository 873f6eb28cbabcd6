import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Chat } from './chat.ts';
import { Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start();
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('a wrong key gives a plain sentence and a way on, and is not kept', async () => {
  const endpoint = await endpointThatRefusesKeys();
  const window = await workbench.open(await workbench.sample('wrong-key'));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());

  await chat.frame.getByRole('button', { name: /^OpenAI-compatible endpoint/ }).click();
  await window.type(endpoint);
  await window.page.keyboard.press('Enter');
  const key = window.quickInput.locator('input[type="password"]');
  await key.fill('sk-this-key-is-wrong');
  await window.screenshot('first-run-key');
  await window.page.keyboard.press('Enter');
  await window.quickInput.getByText('The name as the provider spells it.').waitFor();
  await window.type('some-model');
  await window.page.keyboard.press('Enter');

  const complaint = window.notification(/key/i);
  await complaint.getByRole('button', { name: 'Try again' }).waitFor();
  const words = await complaint.innerText();
  expect(words).not.toContain('sk-this-key-is-wrong');
  expect(words).not.toMatch(/\{|at .*\.js|stack/);
  await window.screenshot('first-run-wrong-key');
  await complaint.getByRole('button', { name: /Clear|Close/ }).click();

  await chat.frame.getByRole('heading', { name: 'Choose a model' }).waitFor();
});

test('the first run offers the models, and the demonstration is one press away', async () => {
  const window = await workbench.open(await workbench.sample('first-run'));
  await window.answerTrust(true);
  // Nobody opens the panel: after the installation it comes up by itself.
  const chat = new Chat(await window.webview('Conversation'));
  await chat.frame.getByRole('heading', { name: 'Choose a model' }).waitFor();
  const offered = await chat.frame.locator('.choice-label').allInnerTexts();
  expect(offered).toEqual([
    'Anthropic',
    'OpenAI-compatible endpoint',
    'VS Code language models',
    'Demo (scripted, no model)',
  ]);
  await window.screenshot('first-run-choices');

  await chat.frame.getByRole('button', { name: /^Demo \(scripted, no model\)/ }).click();

  await chat.prompt.waitFor();
  await chat.button('Model: Demo (scripted, no model)').waitFor();
  expect(workbench.userSettings()).toMatchObject({ 'cordon.model.provider': 'demo' });
  await window.screenshot('first-run-demo-chosen');
});

/** An endpoint that answers every request as OpenAI answers a wrong key. Resolves to its base URL. */
async function endpointThatRefusesKeys(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        error: {
          message: 'Incorrect API key provided.',
          type: 'invalid_request_error',
          code: 'invalid_api_key',
        },
      }),
    );
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
