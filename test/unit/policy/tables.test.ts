import { afterAll, describe, expect, test } from 'vitest';
import { tools } from '../../../src/policy/tools/tools.ts';
import { Workspace } from './workspace.ts';

// Every table carries its own examples of both kinds; here they are held to them, through the whole policy.
const workspace = new Workspace();
const { policy } = workspace.policy();
afterAll(() => workspace[Symbol.dispose]());

describe.each(tools.map(table => [table.name, table] as const))('%s', (_name, table) => {
  test('has a reason and examples of both kinds', () => {
    expect([table.reason.length > 5, table.allows.length > 0, table.asks.length > 0]).toEqual([
      true,
      true,
      true,
    ]);
  });
  test.each(table.allows)('allows: %s', command => {
    expect(policy.decide({ command, cwd: workspace.folder })).toMatchObject({ decision: 'allow' });
  });
  test.each(table.asks)('does not allow: %s', command => {
    expect(policy.decide({ command, cwd: workspace.folder }).decision).not.toBe('allow');
  });
});
