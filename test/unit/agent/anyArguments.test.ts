import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeTools, readyCall } from '../../../sandbox/agent/toolbox.ts';
import { toolBench } from './toolContext.ts';

const tools = describeTools();

/** Values that a model may put where something else was wanted. */
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.string(),
  fc.constantFrom(
    '',
    '.',
    '..',
    '/',
    '/etc/passwd',
    'a\0b',
    '\u202e',
    '~',
    '$(id)',
    'a'.repeat(5_000),
    '-rf',
    'a',
    'dir',
    'dir/b',
  ),
);

test('whatever the model writes as arguments, it gets a result that says something, and nothing throws', async () => {
  await using bench = await toolBench({ a: 'text\n', 'dir/b': 'more\n' });
  bench.broker.deny = () => ({ by: 'policy', reason: 'A test allows nothing.' });
  const call = fc.constantFrom(...tools).chain(tool => {
    const names = Object.keys(tool.parameters['properties'] as object);
    return fc.record({
      name: fc.constant(tool.name),
      args: fc.record(Object.fromEntries([...names, '__proto__', 'extra'].map(name => [name, anyValue])), {
        requiredKeys: [],
      }),
    });
  });
  await fc.assert(
    fc.asyncProperty(call, async ({ name, args }) => {
      const result = await bench.run(name, args);
      expect(result.text.trim()).not.toBe('');
      expect(result.text.length).toBeLessThan(400_000);
    }),
    { numRuns: 400 },
  );
  // Everything that was asked for was denied, so nothing changed.
  expect((await bench.run('list_files', {})).text).toContain('\na\ndir/b\n');
});

test('whatever text stands where arguments should, it is explained', async () => {
  await using bench = await toolBench();
  fc.assert(
    fc.property(fc.string(), fc.oneof(fc.string(), fc.json()), (name, json) => {
      const { call } = readyCall(name, json, bench.context.workspace);
      expect(call.kind).toBe('invalid');
    }),
  );
});

test('every tool is described to the model as an object with described or plain fields', () => {
  for (const tool of tools) {
    expect(tool.parameters).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.description.length).toBeGreaterThan(30);
  }
  expect(tools.map(tool => tool.name)).toEqual([
    'list_files',
    'search',
    'read_file',
    'edit_file',
    'create_file',
    'delete_file',
    'run_command',
    'command_output',
    'stop_command',
    'update_plan',
    'ask_user',
  ]);
});
