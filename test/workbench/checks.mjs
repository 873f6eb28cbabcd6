import { attempt } from './execute.mjs';
import { root } from './paths.mjs';
import { seconds } from './steps.mjs';

/** What is true of the code before it runs. Each counts as one test. */
const checks = [
  { title: 'Types of host, sandbox and tests', args: ['node_modules/typescript7/bin/tsc', '-p', '.'] },
  { title: 'Types of the panel', args: ['node_modules/typescript7/bin/tsc', '-p', 'webview'] },
  { title: 'Lint', args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'] },
  {
    title: 'Formatting',
    args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  },
  { title: 'Nothing unused', args: ['node_modules/knip/bin/knip.js', '--no-progress'] },
];

/**
 * @param {string} node
 * @returns {Promise<import('./suites.mjs').Tally>}
 */
export async function runChecks(node) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { title, args } of checks) {
    const from = performance.now();
    const result = await attempt(node, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    tally[result.ok ? 'passed' : 'failed'] += 1;
    console.log(`  ${result.ok ? '✓' : '✗'} ${title} ${seconds(from)}`);
    if (!result.ok) console.log(`${result.output.trim()}\n${result.ending}`);
  }
  return tally;
}
