import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cache, root } from './paths.mjs';
import { endTree } from './processTree.mjs';
import { Stop } from './steps.mjs';

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 *
 * @typedef {object} Suite
 * @property {string} name of the vitest project
 * @property {number} minutes after which it is ended and counts as failed
 */

/** @type {readonly Suite[]} */
export const suites = [
  { name: 'unit', minutes: 3 },
  { name: 'integration', minutes: 16 },
  { name: 'e2e', minutes: 20 },
];

/**
 * Runs one vitest project. A run that crashes, hangs, reports nothing or holds no test counts as one failure.
 *
 * @param {string} node
 * @param {Suite} suite
 * @param {readonly string[]} filters
 * @returns {Promise<Tally>}
 */
export async function runSuite(node, suite, filters) {
  const report = path.join(cache, `report-${suite.name}.json`);
  mkdirSync(cache, { recursive: true });
  rmSync(report, { force: true });
  console.log(`\n${suite.name}`);
  const ending = await runToEnd(node, suite, [
    'node_modules/vitest/vitest.mjs',
    'run',
    `--project=${suite.name}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const tally = existsSync(report)
    ? tallyOf(readFileSync(report, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  const wrong =
    ending !== 0
      ? `The suite “${suite.name}” ended with ${ending}.`
      : tally.passed + tally.failed === 0 && filters.length === 0
        ? `The suite “${suite.name}” ran no test.`
        : undefined;
  if (wrong !== undefined && tally.failed === 0) {
    console.error(wrong);
    tally.failed = 1;
  }
  return tally;
}

/**
 * Reads vitest's JSON report. A file that could not be loaded has no tests of its own to fail, and counts as one.
 *
 * @param {string} report
 * @returns {Tally}
 */
export function tallyOf(report) {
  const { testResults } = JSON.parse(report);
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of testResults) {
    let failedHere = 0;
    for (const test of assertionResults) {
      if (test.status === 'passed') tally.passed += 1;
      else if (test.status === 'failed') failedHere += 1;
      else tally.skipped += 1;
    }
    tally.failed += status === 'failed' ? Math.max(1, failedHere) : failedHere;
  }
  return tally;
}

/**
 * @param {string} node
 * @param {Suite} suite
 * @param {readonly string[]} args
 * @returns {Promise<number | string>} exit status, or what ended it
 */
async function runToEnd(node, suite, args) {
  // In a process group of its own, so that nothing a test forgot outlives its suite.
  const child = spawn(node, args, { cwd: root, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Stop(`${node} could not be started.`);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void endTree(pid);
  }, suite.minutes * 60_000);
  const interrupt = () => void endTree(pid).then(() => process.exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await new Promise(resolve => {
      child.once('exit', (code, signal) =>
        resolve(late ? `nothing after ${suite.minutes} minutes` : (code ?? signal ?? 'nothing')),
      );
    });
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await endTree(pid);
  }
}
