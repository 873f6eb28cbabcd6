import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TranscriptItem } from '../../../src/protocol/transcript.ts';
import {
  assistant,
  changed,
  conversation,
  event,
  stateMessage,
  toolCall,
  user,
  wholeTask,
} from './conversations.ts';
import { servePanel, type PanelServer, type Preview } from './preview.ts';

let server: PanelServer;
beforeAll(async () => {
  server = await servePanel();
});
afterAll(() => server[Symbol.asyncDispose]());

const prompt = (panel: Preview) => panel.page.getByRole('textbox', { name: 'Ask Cordon' });
const sent = async (panel: Preview) => (await panel.posted()).filter(message => message.type !== 'ready');
const show = (items: TranscriptItem[], status: 'idle' | 'running' = 'idle') =>
  stateMessage({ conversation: conversation({ items, status }) });

test('Enter sends, Shift+Enter breaks the line, and an empty prompt is not sent', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage());
  await prompt(panel).press('Enter');
  await prompt(panel).pressSequentially('Fix it');
  await prompt(panel).press('Shift+Enter');
  await prompt(panel).pressSequentially('and test');
  await prompt(panel).press('Enter');
  expect(await sent(panel)).toEqual([{ type: 'send', text: 'Fix it\nand test' }]);
  expect(await prompt(panel).inputValue()).toBe('');
});

test('an Enter that ends a composition of an input method does not send', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage());
  await prompt(panel).fill('にほん');
  await prompt(panel).dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
  expect(await sent(panel)).toEqual([]);
});

test('while a turn runs there is Stop in place of Send; typing is kept, and neither Enter nor Escape does anything', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go')], 'running'));
  await prompt(panel).fill('next I want');
  await prompt(panel).press('Enter');
  await prompt(panel).press('Escape');
  await panel.page.getByRole('status').getByText('Your text stays here').waitFor();
  expect(await sent(panel)).toEqual([]);
  expect(await panel.page.getByRole('button', { name: 'Send' }).count()).toBe(0);
  await panel.page.getByRole('button', { name: 'Stop', exact: true }).click();
  expect(await sent(panel)).toEqual([{ type: 'stop' }]);
  await panel.send(event({ type: 'status', status: 'idle' }));
  expect(await prompt(panel).inputValue()).toBe('next I want');
  await panel.page.getByRole('button', { name: 'Send' }).click();
  expect(await sent(panel)).toEqual([{ type: 'stop' }, { type: 'send', text: 'next I want' }]);
});

test('a second press meant for Stop does not send what was typed', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go')], 'running'));
  await prompt(panel).fill('not yet');
  await panel.page.clock.install();
  await panel.page.clock.pauseAt(Date.now() + 10_000);
  await panel.page.evaluate(
    `window.postMessage(${JSON.stringify(event({ type: 'status', status: 'idle' }))}, '*')`,
  );
  await panel.page.clock.runFor(100);
  const send = panel.page.getByRole('button', { name: 'Send' });
  await send.waitFor();
  await send.click({ force: true });
  expect(await sent(panel)).toEqual([]);
  await panel.page.clock.runFor(600);
  await send.click();
  expect(await sent(panel)).toEqual([{ type: 'send', text: 'not yet' }]);
});

test('while Cordon works the plan’s present step stands above the prompt box, and its updates are no lines of their own', async () => {
  await using panel = await server.open();
  const update = toolCall({ id: 'think', tool: 'think', title: 'Update plan' });
  await panel.send(show([...wholeTask.items, update], 'running'));
  const strip = panel.page.locator('.plan-strip');
  expect(await strip.innerText()).toMatch(/Fix it, and run the tests again\s*2 of 4 done/);
  expect(await panel.page.getByText('Update plan').count()).toBe(0);
  await strip.getByRole('button').click();
  expect(await strip.getByRole('listitem').count()).toBe(4);
  await panel.send(event({ type: 'status', status: 'idle' }));
  await strip.waitFor({ state: 'detached' });
});

test('the arrow keys recall earlier prompts from an empty box, and lead back', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u1', 'first'), user('u2', 'second')]));
  await prompt(panel).press('ArrowUp');
  expect(await prompt(panel).inputValue()).toBe('second');
  await prompt(panel).press('ArrowUp');
  expect(await prompt(panel).inputValue()).toBe('first');
  await prompt(panel).press('ArrowDown');
  await prompt(panel).press('ArrowDown');
  expect(await prompt(panel).inputValue()).toBe('');
  await prompt(panel).fill('mine');
  await prompt(panel).press('ArrowUp');
  expect(await prompt(panel).inputValue()).toBe('mine');
});

test('a draft survives closing the panel, and a draft of another version is let go', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage());
  await prompt(panel).fill('half a thought');
  const saved = await panel.saved();
  await using reopened = await server.open({ saved });
  await reopened.send(stateMessage());
  expect(await prompt(reopened).inputValue()).toBe('half a thought');
  await using other = await server.open({ saved: { draft: 7 } });
  await other.send(stateMessage());
  expect(await prompt(other).inputValue()).toBe('');
});

test('the host can put the keyboard and a text into the prompt box, also before the box is there', async () => {
  await using panel = await server.open();
  await panel.send({ type: 'focusPrompt', text: 'Explain this file' }, stateMessage());
  await expect.poll(() => prompt(panel).inputValue()).toBe('Explain this file');
  await panel.page.keyboard.type('!');
  expect(await prompt(panel).inputValue()).toBe('Explain this file!');
});

test('streamed text is drawn as it comes, and only its last block again', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go'), assistant('a', '# Plan\n\nFirst **bo', 'streaming')], 'running'));
  await expect.poll(() => panel.page.locator('.markdown strong').innerText()).toBe('bo');
  await panel.page.evaluate(`
    window.touched = [];
    const blocks = [...document.querySelectorAll('.markdown .block')];
    new MutationObserver(records => touched.push(...records.map(r => blocks.findIndex(b => b.contains(r.target)))))
      .observe(document.querySelector('.markdown'), { subtree: true, childList: true, characterData: true });`);
  await panel.send(event({ type: 'text', id: 'a', text: 'ld** words.\n\n```js\nconst a' }));
  await panel.send(event({ type: 'text', id: 'a', text: ' = 1;\n```\n\nDone.' }));
  await expect.poll(() => panel.page.locator('.markdown').innerText()).toContain('Done.');
  expect(await panel.page.locator('.markdown h3').innerText()).toBe('Plan');
  expect(await panel.page.locator('.code-block code').innerText()).toBe('const a = 1;\n');
  expect(await panel.page.evaluate(`touched.includes(0)`)).toBe(false);
});

test('a conversation of 2,000 entries draws a token by touching one entry, and lays out only what is in view', async () => {
  await using panel = await server.open();
  const items = Array.from({ length: 2_000 }, (_, index) =>
    index % 2 === 0
      ? user(`u${index}`, `Question ${index}`)
      : assistant(`a${index}`, `Answer **${index}**\n\n- one\n- two\n\n\`code\``),
  );
  await panel.send(show([...items, assistant('last', 'Now', 'streaming')], 'running'));
  await panel.page.locator('[data-item=last]').waitFor();
  await panel.page.evaluate(`
    window.touched = new Set();
    new MutationObserver(records => records.forEach(r => {
      const entry = (r.target.nodeType === 1 ? r.target : r.target.parentElement).closest('[data-item]');
      if (entry) touched.add(entry.dataset.item);
    })).observe(document.querySelector('.transcript'), { subtree: true, childList: true, characterData: true, attributes: true });`);
  for (let index = 0; index < 50; index++)
    await panel.sendRaw(event({ type: 'text', id: 'last', text: ` word${index}` }));
  await expect.poll(() => panel.page.locator('[data-item=last]').innerText()).toContain('word49');
  expect(await panel.page.evaluate(`[...touched]`)).toEqual(['last']);
  const skipped = await panel.page.evaluate(
    `[...document.querySelectorAll('.entry')].filter(e => !e.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length`,
  );
  expect(skipped).toBeGreaterThan(1_900);
});

test('the same state again draws nothing again', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage({ conversation: wholeTask }));
  await panel.page.evaluate(`
    window.changes = [];
    new MutationObserver(records => changes.push(...records.map(r => r.type + ' ' + r.attributeName + ' of ' + (r.target.outerHTML ?? r.target.parentElement.outerHTML).slice(0, 200) + ' was ' + r.oldValue)))
      .observe(document.querySelector('.app'), { subtree: true, childList: true, characterData: true, attributes: true });`);
  await panel.send(stateMessage({ conversation: wholeTask }), stateMessage({ conversation: wholeTask }));
  expect(await panel.page.evaluate('changes')).toEqual([]);
});

const long = Array.from({ length: 60 }, (_, index) => `Paragraph ${index}.`).join('\n\n');
const distance = (panel: Preview) =>
  panel.page.evaluate(
    `(t => t.scrollHeight - t.clientHeight - t.scrollTop)(document.querySelector('.transcript'))`,
  );

test('the newest stays in view until the user scrolls up; then the view stays, and one button leads back', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go'), assistant('a', long, 'streaming')], 'running'));
  await expect.poll(() => distance(panel)).toBeLessThan(25);
  await panel.send(event({ type: 'text', id: 'a', text: `\n\n${long}` }));
  await expect.poll(() => distance(panel)).toBeLessThan(25);
  await panel.page.locator('.transcript').hover();
  await panel.page.mouse.wheel(0, -600);
  const jump = panel.page.getByRole('button', { name: 'Jump to latest' });
  await jump.waitFor();
  const before = await panel.page.evaluate(`document.querySelector('.transcript').scrollTop`);
  await panel.send(event({ type: 'text', id: 'a', text: `\n\n${long}` }));
  expect(await panel.page.evaluate(`document.querySelector('.transcript').scrollTop`)).toBe(before);
  await jump.click();
  await expect.poll(() => distance(panel)).toBeLessThan(25);
  await jump.waitFor({ state: 'detached' });
});

test('the place that was read is kept over closing the panel', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go'), assistant('a', long)]));
  await expect.poll(() => distance(panel)).toBeLessThan(25);
  await panel.page.locator('.transcript').hover();
  await panel.page.mouse.wheel(0, -300);
  await panel.page.getByRole('button', { name: 'Jump to latest' }).waitFor();
  const top = await panel.page.evaluate(`document.querySelector('.transcript').scrollTop`);
  await expect
    .poll(async () => (await panel.saved()) as object)
    .toMatchObject({ place: { conversationId: 'c1', top } });
  await using reopened = await server.open({ saved: await panel.saved() });
  await reopened.send(show([user('u', 'Go'), assistant('a', long)]));
  await expect
    .poll(() => reopened.page.evaluate(`document.querySelector('.transcript').scrollTop`))
    .toBe(top);
});

test('links and files open through the host, with their line', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage({ conversation: wholeTask }));
  await panel.page.getByRole('link', { name: 'src/slug.js:4' }).click();
  await panel.page.getByRole('link', { name: 'the test' }).click();
  await panel.page.getByRole('link', { name: 'String.replace' }).click();
  expect(await sent(panel)).toEqual([
    { type: 'openFile', path: '/home/ada/notes/src/slug.js', line: 4 },
    { type: 'openFile', path: '/home/ada/notes/test/slug.test.js', line: 12 },
    { type: 'openLink', url: 'https://developer.mozilla.org/docs/String/replace' },
  ]);
});

test('code is copied as it is', async () => {
  await using panel = await server.open();
  await panel.send(show([assistant('a', '```ts\nconst a = "<b>";\n```')]));
  await panel.page.getByRole('button', { name: 'Copy code' }).click();
  await panel.page.getByRole('button', { name: 'Copied' }).waitFor();
  expect(await panel.page.evaluate('navigator.clipboard.readText()')).toBe('const a = "<b>";\n');
});

test('a tool call is one line that opens: command, output in colour, changes, and why it was allowed', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage({ conversation: wholeTask }));
  const failed = panel.page.locator('[data-tool-call=x1]');
  expect(await failed.locator('.tool-line').innerText()).toMatch(/npm test\s*exit 1 · 1\.2 s/);
  expect(await failed.locator('.output').count()).toBe(0);
  await failed.getByRole('button').click();
  expect(await failed.locator('.output').innerText()).toContain('✖ slugs collapse dashes');
  expect(await failed.locator('.ansi-red').innerText()).toBe('✖ slugs collapse dashes');
  expect(await failed.innerText()).toContain('Auto-approved by rule "npm test"');
  const edit = panel.page.locator('[data-tool-call=e1]');
  await edit.getByRole('button').first().click();
  expect(await edit.locator('.diff-line.added').count()).toBe(3);
  await edit.getByRole('button', { name: 'src/slug.js', exact: true }).click();
  expect(await sent(panel)).toEqual([{ type: 'openFile', path: '/home/ada/notes/src/slug.js', line: 4 }]);
  const denied = panel.page.locator('[data-tool-call=d1]');
  await denied.getByRole('button').click();
  expect(await denied.innerText()).toContain('Denied by you: No network, please');
});

test('a running command shows its output as it comes, and a long one only its end until asked', async () => {
  await using panel = await server.open();
  const running = toolCall({
    id: 'x',
    tool: 'execute',
    title: 'make',
    command: 'make',
    state: { kind: 'running', since: 0 },
  });
  await panel.send(show([running], 'running'));
  await panel.send(
    event({ type: 'output', id: 'x', text: Array.from({ length: 1_000 }, (_, i) => `line ${i}\n`).join('') }),
  );
  await expect.poll(() => panel.page.locator('.output').innerText()).toContain('line 999');
  expect(await panel.page.locator('.output').innerText()).not.toContain('line 700\n');
  await panel.page.getByRole('button', { name: 'Show all 1,000 lines' }).click();
  expect(await panel.page.locator('.output').innerText()).toContain('line 0\n');
});

test('finished messages are announced whole and politely, not token by token', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go'), assistant('old', 'An old answer')], 'running'));
  const polite = panel.page.locator('[data-announcer=polite]');
  await panel.send(event({ type: 'item', item: assistant('a', '', 'streaming') }));
  await panel.send(event({ type: 'text', id: 'a', text: 'All tests' }));
  expect(await polite.innerText()).toBe('');
  await panel.send(event({ type: 'item', item: assistant('a', 'All tests pass.') }));
  await expect.poll(() => polite.innerText()).toBe('Cordon: All tests pass.');
});

test('events of another conversation are not shown', async () => {
  await using panel = await server.open();
  await panel.send(show([user('u', 'Go')]));
  await panel.send(event({ type: 'item', item: assistant('x', 'Not here') }, 'another'));
  expect(await panel.page.getByText('Not here').count()).toBe(0);
});

test('when Cordon is done, a card shows what waits for review; each of its buttons, and those of turns and commands, asks the host', async () => {
  await using panel = await server.open();
  const items = [
    user('u', 'Go'),
    toolCall({ id: 'x', tool: 'execute', title: 'make', command: 'make', changed: changed(2, 40) }),
    { id: 'e', at: 0, kind: 'turnEnd', reason: 'done', changed: changed(3, 0) } as const,
  ];
  const changes = { files: 3, added: 5, removed: 2, protected: 1 };
  await panel.send(stateMessage({ conversation: conversation({ items, status: 'running' }), changes }));
  const card = panel.page.getByRole('group', { name: 'Changes to review' });
  expect(await card.count()).toBe(0);
  const announced = panel.page.locator('[data-announcer="changes"]');
  expect(await announced.textContent()).toBe('');
  await panel.send(stateMessage({ conversation: conversation({ items }), changes }));
  expect(await announced.textContent()).toBe('3 changes to review');
  expect(await card.innerText()).toMatch(/3 changes to review[\s\S]*1 of them can run code/);
  for (const name of ['Review', 'Accept all', 'Discard all'])
    await card.getByRole('button', { name, exact: true }).click();
  await panel.page.getByRole('button', { name: 'Changed 3 files', exact: true }).click();
  await panel.page.locator('.tool-line').click();
  await panel.page.getByRole('button', { name: 'Changed 2 files and 40 ignored' }).click();
  expect(await sent(panel)).toEqual([
    { type: 'reviewChanges' },
    { type: 'acceptChanges' },
    { type: 'discardChanges' },
    { type: 'reviewChanges', itemId: 'e' },
    { type: 'reviewChanges', itemId: 'x' },
  ]);
  await panel.send(stateMessage({ conversation: conversation({ items }) }));
  expect(await card.count()).toBe(0);
});

test('beside each of the user’s messages are ways back, out of sight until the pointer or the keyboard is there', async () => {
  await using panel = await server.open();
  const end = { id: 'e', at: 0, kind: 'turnEnd', reason: 'done', commits: 2 } as const;
  await panel.send(show([user('u1', 'First'), user('u2', 'Second'), end]));
  const second = panel.page.locator('.entry-user').nth(1);
  const isSeen = async () =>
    Number(
      await panel.page.evaluate(`getComputedStyle(document.querySelectorAll('.message-actions')[1]).opacity`),
    );
  const goBack = second.getByRole('button', { name: 'Go back to before this message' });
  expect(await isSeen()).toBe(0);
  await second.hover();
  expect(await isSeen()).toBe(1);
  await panel.page.mouse.move(0, 0);
  await goBack.focus();
  expect(await isSeen()).toBe(1);
  await panel.page.keyboard.press('Enter');
  await panel.page.keyboard.press('Tab');
  await panel.page.keyboard.press('Enter');
  await panel.page.getByText('2 commits not in your repository').waitFor();
  await panel.page.getByRole('button', { name: 'Import…' }).click();
  expect(await sent(panel)).toEqual([
    { type: 'goBack', itemId: 'u2' },
    { type: 'fork', itemId: 'u2' },
    { type: 'importCommits' },
  ]);
});
