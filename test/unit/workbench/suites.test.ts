import { expect, test } from 'vitest';
import { tallyOf } from '../../workbench/suites.mjs';

test('passed, failed and skipped tests are summed over files', () => {
  const report = {
    testResults: [
      {
        status: 'passed',
        assertionResults: [{ status: 'passed' }, { status: 'skipped' }, { status: 'todo' }],
      },
      {
        status: 'failed',
        assertionResults: [{ status: 'failed' }, { status: 'failed' }, { status: 'passed' }],
      },
    ],
  };

  expect(tallyOf(JSON.stringify(report))).toEqual({ passed: 2, failed: 2, skipped: 2 });
});

test('a file that could not be loaded counts as one failure', () => {
  const report = { testResults: [{ status: 'failed', message: 'Cannot find module', assertionResults: [] }] };

  expect(tallyOf(JSON.stringify(report))).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
