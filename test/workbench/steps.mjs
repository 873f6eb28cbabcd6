/**
 * Something the person at the keyboard has to do or know before we can go on. Shown as it is, without a stack.
 */
export class Stop extends Error {}

/**
 * Says what is being done, does it, and says how long it took. One line each, also without a terminal.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const from = performance.now();
  process.stdout.write(`  ${title} …`);
  try {
    const result = await work();
    process.stdout.write(` ${seconds(from)}\n`);
    return result;
  } catch (error) {
    process.stdout.write(` failed after ${seconds(from)}\n`);
    throw error;
  }
}

/**
 * Runs a whole command of ours: what it throws becomes one plain message and exit status 1.
 *
 * @param {() => Promise<void>} main
 */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    console.error(`\n${describe(error)}`);
    process.exitCode = 1;
  }
}

/** @param {unknown} error */
export function describe(error) {
  if (error instanceof Stop) return error.message;
  return error instanceof Error ? error.stack : String(error);
}

/** @param {number} from a time of performance.now() */
export function seconds(from) {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}
