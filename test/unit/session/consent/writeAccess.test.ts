import { expect, test } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import { emptyConversation } from '../../../../src/protocol/transcript.ts';
import { Approvals } from '../../../../src/session/consent/approvals.ts';
import { Transcript } from '../../../../src/session/transcript/transcript.ts';
import { WriteAccess } from '../../../../src/session/consent/writeAccess.ts';

const place = { folder: '/w', path: '/w/a', relative: ['a', 'a'] } as const;
const request = { place, operation: 'edit', itemId: 'i' } as const;

function opened(standing: string[] = [], isLocked = () => false) {
  const transcript = new Transcript(emptyConversation('c'), () => {}, silentLog);
  const approvals = new Approvals('c', transcript);
  const access = new WriteAccess({
    folders: ['/w', '/v'],
    approvals,
    standing: () => standing,
    remember: async answer => void standing.push(answer.pattern),
    unattended: undefined,
    isCopy: false,
    isLocked,
    warn: () => {},
  });
  return { access, approvals, waiting: () => transcript.conversation.approvals };
}

test('several changes at once are one question, and its answer counts for all of them', async () => {
  const { access, approvals, waiting } = opened();
  const never = new AbortController().signal;
  const all = [access.ensure(request, never), access.ensure(request, never), access.ensure(request, never)];
  expect(waiting()).toHaveLength(1);
  approvals.answer(waiting()[0]?.id ?? '', { kind: 'allowOnce' });
  expect(await Promise.all(all)).toEqual([undefined, undefined, undefined]);
  expect([access.writable(), access.writable(true)]).toEqual([['/w'], []]);
  access.endTurn();
  expect(access.writable()).toEqual([]);
});

test('a no is a no for all that waited, and the next change asks again', async () => {
  const { access, approvals, waiting } = opened();
  const never = new AbortController().signal;
  const all = [access.ensure(request, never), access.ensure(request, never)];
  approvals.answer(waiting()[0]?.id ?? '', { kind: 'deny', words: 'No.' });
  expect(await Promise.all(all)).toEqual([
    { by: 'user', reason: 'No.' },
    { by: 'user', reason: 'No.' },
  ]);
  void access.ensure(request, never);
  expect(waiting()).toHaveLength(1);
});

test('"always" stands as long as the user keeps it, and names only folders of the workspace', async () => {
  const standing = ['/elsewhere'];
  const { access, approvals, waiting } = opened(standing);
  const asked = access.ensure(request, new AbortController().signal);
  approvals.answer(waiting()[0]?.id ?? '', { kind: 'alwaysAllow', pattern: '/', scope: 'user' });
  await asked;
  access.endTurn();
  expect([standing, access.writable(true)]).toEqual([['/elsewhere', '/w'], ['/w']]);
  standing.length = 0;
  expect(access.writable()).toEqual([]);
});

test('a question that is withdrawn counts as no', async () => {
  const { access, waiting } = opened();
  const stopped = new AbortController();
  const asked = access.ensure(request, stopped.signal);
  stopped.abort();
  expect([await asked, waiting(), access.writable()]).toMatchObject([{ by: 'policy' }, [], []]);
  expect(await access.ensure(request, stopped.signal)).toMatchObject({ by: 'policy' });
});

test('in locked mode no file is changed, whatever was granted, and nobody is asked', async () => {
  const { access, waiting } = opened(['/w'], () => true);
  const never = new AbortController().signal;
  const denial = { by: 'policy', reason: 'Cordon is in locked mode, in which no file is changed.' };
  expect([
    await access.ensure(request, never),
    await access.confirmProtected(request, 'is run', never),
  ]).toEqual([denial, denial]);
  expect([access.writable(), waiting()]).toEqual([[], []]);
});
