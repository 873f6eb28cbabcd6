import { expect, test } from 'vitest';
import { AllowedDomains } from '../../../../src/host/grants/allowedDomains.ts';

function listed(allowed: string[], forbidden: string[] | undefined) {
  const problems: string[] = [];
  const state = { keys: () => [], get: () => undefined, update: async () => {} };
  const domains = new AllowedDomains(
    { allowed: () => allowed, forbidden: () => forbidden, write: async () => {} },
    state,
    problem => problems.push(problem),
  );
  return { hosts: domains.list().map(({ host }) => host), problems: problems.length };
}

test('as long as a prohibition cannot be read, no host counts as allowed for always, and it is said', () => {
  expect(listed(['a.example.com'], ['b.example.com'])).toEqual({ hosts: ['a.example.com'], problems: 0 });
  expect(listed(['a.example.com'], ['*.example.com'])).toEqual({ hosts: [], problems: 2 });
  expect(listed(['a.example.com'], undefined)).toEqual({ hosts: [], problems: 1 });
});
