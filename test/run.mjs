// `npm test`: set-up from a fresh clone, the build, then every check and every suite. Ends with one line that sums up.
import { runChecks } from './workbench/checks.mjs';
import { execute } from './workbench/execute.mjs';
import { root } from './workbench/paths.mjs';
import { setUp } from './workbench/setup.mjs';
import { Stop, describe, run, step } from './workbench/steps.mjs';
import { runSuite, suites } from './workbench/suites.mjs';

const usage = `npm test [-- WHAT…] [FILTER…]

  WHAT    any of: checks ${suites.map(suite => suite.name).join(' ')}; everything when none is named
  FILTER  part of a test file's path`;

await run(async () => {
  const words = process.argv.slice(2);
  if (words.includes('--help')) return console.log(usage);
  if (words.some(word => word.startsWith('-'))) throw new Stop(usage);
  const named = ['checks', ...suites.map(suite => suite.name)].filter(name => words.includes(name));
  const filters = words.filter(word => !named.includes(word));
  const wanted = named.length > 0 ? named : filters.length > 0 ? suites.map(suite => suite.name) : undefined;
  const isWanted = (/** @type {string} */ name) => wanted === undefined || wanted.includes(name);

  /** @type {import('./workbench/suites.mjs').Tally} */
  const total = { passed: 0, failed: 0, skipped: 0 };
  const add = (/** @type {typeof total} */ tally) => {
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  };
  try {
    const { node } = await setUp('test');
    if (isWanted('checks')) add(await runChecks(node));
    const chosen = suites.filter(suite => isWanted(suite.name));
    if (chosen.length > 0) await step('Building', () => execute(node, ['esbuild.mjs'], { cwd: root }));
    for (const suite of chosen) add(await runSuite(node, suite, filters));
    if (total.passed + total.failed === 0) throw new Stop('No test ran.');
  } catch (error) {
    total.failed += 1;
    console.error(`\n${describe(error)}`);
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 ? 0 : 1;
});
