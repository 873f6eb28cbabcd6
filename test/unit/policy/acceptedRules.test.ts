import { expect, test } from 'vitest';
import { acceptChange, acceptedRules } from '../../../src/policy/acceptedRules.ts';

test('a permission that the repository brings is inert until accepted', () => {
  expect(acceptedRules({ 'curl **': 'allow' }, undefined)).toEqual({
    active: {},
    pending: [{ pattern: 'curl **', before: undefined, after: 'allow' }],
  });
});

test('an accepted permission counts while the file still has it', () => {
  const rules = { 'npm test': 'allow' };
  expect(acceptedRules(rules, rules)).toEqual({ active: rules, pending: [] });
  expect(acceptedRules({}, rules)).toEqual({ active: {}, pending: [] });
});

test('a prohibition counts at once, and does not vanish with the file', () => {
  expect(acceptedRules({ 'git push **': 'deny' }, {})).toEqual({
    active: { 'git push **': 'deny' },
    pending: [],
  });
  expect(acceptedRules({}, { 'git push **': 'deny' })).toEqual({
    active: { 'git push **': 'deny' },
    pending: [{ pattern: 'git push **', before: 'deny', after: undefined }],
  });
});

test('a prohibition turned into a permission stays a prohibition until accepted', () => {
  expect(acceptedRules({ 'git push **': 'allow' }, { 'git push **': 'deny' })).toEqual({
    active: { 'git push **': 'deny' },
    pending: [{ pattern: 'git push **', before: 'deny', after: 'allow' }],
  });
});

test('a permission turned into a prohibition is stricter at once', () => {
  expect(acceptedRules({ 'npm test': 'ask' }, { 'npm test': 'allow' }).active).toEqual({ 'npm test': 'ask' });
});

test('a structured permission is compared by its content, not by the order of its fields', () => {
  const accepted = { 'npm test': { decision: 'allow', reason: 'tests' } };
  expect(acceptedRules({ 'npm test': { reason: 'tests', decision: 'allow' } }, accepted).pending).toEqual([]);
  const widened = { 'npm test': { decision: 'allow', reason: 'other' } };
  expect(acceptedRules(widened, accepted)).toEqual({
    active: {},
    pending: [{ pattern: 'npm test', before: accepted['npm test'], after: widened['npm test'] }],
  });
});

test('a damaged file or a damaged record means no permissions', () => {
  expect(acceptedRules('allow', 7)).toEqual({ active: {}, pending: [] });
  expect(acceptedRules(['allow'], null)).toEqual({ active: {}, pending: [] });
});

test('a change of the user accepts exactly what was changed, and nothing that came with the file', () => {
  const brought = { 'curl **': { decision: 'allow' } };
  const file = { ...brought, 'git push **': 'deny', 'npm test': 'allow' };
  const accepted = { 'git push **': 'deny', 'npm test': 'allow' };
  // Read anew from disk: equal, but not the same objects.
  const after = { ...structuredClone(file), 'npm run *': 'allow', 'npm test': 'ask' };
  expect(acceptChange(accepted, file, after)).toEqual({
    'git push **': 'deny',
    'npm test': 'ask',
    'npm run *': 'allow',
  });
  expect(acceptChange(accepted, file, brought)).toEqual({});
});
