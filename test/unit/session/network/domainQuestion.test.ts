import { expect, test } from 'vitest';
import { domainQuestion } from '../../../../src/session/network/domainQuestion.ts';

test('a host of the web is asked for by its name alone, and what could happen is said', () => {
  expect(domainQuestion({ host: 'docs.example.com', port: 443 }, 'npm ci')).toEqual({
    subject: {
      kind: 'domain',
      host: 'docs.example.com',
      port: 443,
      grant: 'docs.example.com',
      command: 'npm ci',
    },
    decision: {
      decision: 'ask',
      risk: 40,
      reasons: [
        {
          code: 'network.host',
          message: 'Whatever the command can read, it could send to docs.example.com.',
          span: [0, 0],
        },
      ],
    },
  });
});

test.each([
  ['another port', 'docs.example.com', 8443, 'npm ci', 'docs.example.com:8443', ['network.port']],
  ['no encryption', 'docs.example.com', 80, 'npm ci', 'docs.example.com', ['network.plain']],
  ['an address', '93.184.216.34', 443, 'npm ci', '93.184.216.34', ['network.address']],
  [
    'an address of IPv6',
    '2606:4700::1',
    8443,
    'npm ci',
    '[2606:4700::1]:8443',
    ['network.address', 'network.port'],
  ],
  ['an unknown command', 'docs.example.com', 443, undefined, 'docs.example.com', ['network.whichCommand']],
])('%s raises the risk and is named', (_, host, port, command, grant, codes) => {
  const { subject, decision } = domainQuestion({ host, port }, command);
  expect(subject).toMatchObject({ grant });
  expect(decision.reasons.map(({ code }) => code)).toEqual(['network.host', ...codes]);
  expect(decision.risk).toBeGreaterThan(40);
});

test('letters that imitate others are high risk; the host itself is shown as it is compared', () => {
  const { subject, decision } = domainQuestion({ host: 'xn--pple-43d.com', port: 443 }, 'npm ci');
  expect(subject).toMatchObject({ host: 'xn--pple-43d.com', grant: 'xn--pple-43d.com' });
  expect(decision.risk).toBeGreaterThanOrEqual(70);
  expect(decision.reasons[1]?.message).toContain('“аpple.com”');
});
