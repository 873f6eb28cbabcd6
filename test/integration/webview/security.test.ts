import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  assistant,
  conversation,
  event,
  gates,
  history,
  stateMessage,
  toolCall,
  user,
  wholeTask,
} from './conversations.ts';
import { servePanel, type PanelServer } from './preview.ts';

let server: PanelServer;
beforeAll(async () => {
  server = await servePanel();
});
afterAll(() => server[Symbol.asyncDispose]());

test('the panel says ready exactly once, and draws a whole task without one violation of its policy', async () => {
  await using panel = await server.open();
  await panel.send(stateMessage({ conversation: wholeTask, history }));
  await panel.page.getByRole('button', { name: 'History' }).click();
  await panel.page.getByText('Explain the build').waitFor();
  await panel.page.keyboard.press('Escape');
  for (const gate of Object.values(gates)) await panel.send(stateMessage({ gate }));
  expect(await panel.posted()).toEqual([{ type: 'ready' }]);
  expect(await panel.violations()).toEqual([]);
});

test('the bundle stays below 600 kB', () => {
  expect(server.scriptBytes).toBeLessThan(600_000);
});

test('a violation would be seen: inline style, inline script, a remote request and unchecked HTML are refused', async () => {
  await using panel = await server.open();
  await panel.page.evaluate(`
    const probe = document.createElement('div');
    probe.setAttribute('style', 'color: red');
    document.body.append(probe);
    const script = document.createElement('script');
    try { script.textContent = 'window.ran = true'; document.body.append(script); } catch {}
    fetch('http://127.0.0.1:9/').catch(() => {});
    try { probe.innerHTML = '<b>x</b>'; } catch {}
    new Promise(resolve => setTimeout(resolve, 100))`);
  const found = (await panel.violations()).join('\n');
  for (const directive of ['style-src-attr', 'connect-src', 'require-trusted-types-for'])
    expect(found).toContain(directive);
  expect(await panel.page.evaluate('window.ran')).toBeUndefined();
});

test('what the host did not say in the protocol is dropped, and the panel goes on', async () => {
  await using panel = await server.open();
  await panel.sendRaw({ type: 'state', state: { gate: { kind: 'open' } } });
  await panel.sendRaw({ type: 'eval', code: 'alert(1)' });
  await panel.sendRaw('hello');
  await panel.sendRaw(null);
  await panel.send(stateMessage({ conversation: conversation({ items: [user('u', 'Still here')] }) }));
  await panel.page.getByText('Still here').waitFor();
  expect(await panel.violations()).toEqual([]);
});

const hostile = [
  '<script>window.ran = 1</script>',
  '<img src=x onerror="window.ran = 1">',
  '<svg/onload=window.ran=1>',
  '<iframe srcdoc="<script>parent.ran = 1</script>"></iframe>',
  '<style>* { display: none }</style>',
  '<a href="javascript:window.ran=1">raw</a>',
  '[link](javascript:window.ran=1)',
  '[link](JaVaScRiPt&colon;window.ran=1)',
  '[link](vbscript:msgbox)',
  '[link](data:text/html,<script>parent.ran=1</script>)',
  '[command](command:workbench.action.terminal.new)',
  '[file](file:///etc/passwd)',
  '![picture](https://evil.example/track.png)',
  '![x](x" onerror="window.ran=1)',
  '`<script>window.ran=1</script>`',
  '```js"><img src=x onerror=window.ran=1>\nwindow.ran\n```',
  '```html\n<script>window.ran = 1</script>\n```',
  '| <img src=x onerror=window.ran=1> |\n|---|\n| <script>window.ran=1</script> |',
  '[x]: javascript:window.ran=1\n\n[x]',
  '<math><mtext><table><mglyph><style><img src=x onerror=window.ran=1>',
  '<form action="https://evil.example"><button>Send</button></form>',
  '[`src/a.ts:1`](https://evil.example "title\\" onclick=\\"window.ran=1")',
  '`src/"onmouseover="window.ran=1".ts`',
];

test('hostile Markdown is text: nothing runs, nothing is loaded, no element or scheme beyond the allowlist', async () => {
  await using panel = await server.open();
  const items = hostile.map((text, index) => assistant(`a${index}`, text));
  await panel.send(stateMessage({ conversation: conversation({ items }) }));
  for (const link of await panel.page.locator('.markdown a').all()) {
    await link.dispatchEvent('click');
    await link.dispatchEvent('mouseover');
  }
  expect(await panel.page.evaluate('window.ran')).toBeUndefined();
  expect(await panel.page.locator('.markdown :is(script, img, svg, iframe, style, form, math)').count()).toBe(
    0,
  );
  const schemes = await panel.page.evaluate(
    `[...new Set([...document.querySelectorAll('.markdown a')].map(a => a.getAttribute('href')).map(h => h === '#' || h === null ? h : new URL(h).protocol))]`,
  );
  expect(schemes).toEqual(expect.arrayContaining(['https:']));
  expect(['#', 'https:', null]).toEqual(expect.arrayContaining(schemes as string[]));
  const handlers = await panel.page.evaluate(
    `[...document.querySelectorAll('.markdown *')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on') || n === 'style')`,
  );
  expect(handlers).toEqual([]);
  expect(await panel.violations()).toEqual([]);
  const asked = (await panel.posted()).map(message =>
    message.type === 'openLink' ? new URL(message.url).origin : message.type,
  );
  expect(['ready', 'openFile', 'https://evil.example']).toEqual(expect.arrayContaining([...new Set(asked)]));
});

test('Markdown made to be slow does not stop the panel', async () => {
  await using panel = await server.open();
  const floods = [
    `${'_a '.repeat(10_000)}${'b_ '.repeat(10_000)}`,
    '> '.repeat(3_000),
    '`'.repeat(20_001),
    `${'['.repeat(20_000)}x`,
    `${'* '.repeat(500)}\n`.repeat(20),
    'a'.repeat(400_000),
    `\`\`\`js\n${'const a = "b";\n'.repeat(20_000)}`,
  ];
  await panel.send(
    stateMessage({
      conversation: conversation({
        items: floods.map((text, index) => assistant(`a${index}`, text, 'streaming')),
      }),
    }),
  );
  await panel.send(event({ type: 'item', item: user('u', 'And on it goes') }));
  await panel.page.getByText('And on it goes').waitFor();
  expect(await panel.violations()).toEqual([]);
});

test('titles, commands, paths, output and notices are text as well, and cannot turn the reading direction', async () => {
  await using panel = await server.open();
  const payload = '<img src=x onerror="window.ran=1">\u202Egnp.exe';
  const call = toolCall({
    id: 'x',
    tool: 'execute',
    title: payload,
    command: payload,
    cwd: `/${payload}`,
    output: `${payload}\u001B]8;;javascript:window.ran=1\u0007link\u001B]8;;\u0007\u001B[2J\u001B[31mred`,
    allowedBy: payload,
    locations: [{ path: payload }],
    diffs: [{ path: `/${payload}`, patch: `@@ -1 +1 @@\n-${payload}\n+${payload}`, added: 1, removed: 1 }],
  });
  await panel.send(
    stateMessage({
      conversation: conversation({
        title: payload,
        items: [
          user('u', payload),
          call,
          { id: 'n', at: 0, kind: 'notice', level: 'error', code: 'x', text: payload },
        ],
        questions: [{ id: 'q', question: payload, options: [payload, payload] }],
      }),
      history: [{ id: 'h', title: payload, createdAt: 0, updatedAt: 0 }],
      folders: [payload],
    }),
  );
  await panel.page.locator('.tool-line').click();
  await panel.page.getByText('red', { exact: true }).waitFor();
  expect(await panel.page.evaluate('window.ran')).toBeUndefined();
  expect(await panel.page.locator('.tool-call .command').innerText()).toContain('⟨U+202E⟩');
  expect(await panel.page.locator('.output').innerText()).toBe(
    '<img src=x onerror="window.ran=1">gnp.exelinkred',
  );
  expect(await panel.violations()).toEqual([]);
});
