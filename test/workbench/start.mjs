// `npm start`: everything from a fresh clone to a VS Code with Cordon in it and the sample project open.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startInBrowser } from './browserWorkbench.mjs';
import { findDesktop, startDesktop } from './desktop.mjs';
import { packageExtension } from './extension.mjs';
import { cache } from './paths.mjs';
import { copySample } from './sample.mjs';
import { setUp } from './setup.mjs';
import { Stop, run } from './steps.mjs';

const usage = `npm start [-- OPTIONS]

  --fresh     make the sample project new
  --browser   use code-server even if a desktop VS Code is installed`;

await run(async () => {
  const options = new Set(process.argv.slice(2));
  if (options.has('--help')) return console.log(usage);
  const unknown = [...options].filter(option => !['--fresh', '--browser'].includes(option));
  if (unknown.length > 0) throw new Stop(`Unknown: ${unknown.join(' ')}\n\n${usage}`);

  console.log('Cordon');
  const { node } = await setUp('start');
  const extension = await packageExtension(node);
  const sample = path.join(cache, 'sample');
  await copySample(sample, { fresh: options.has('--fresh') });

  const desktop = options.has('--browser') ? undefined : findDesktop();
  const workbench =
    desktop === undefined
      ? await startInBrowser({ node, extension, folder: sample })
      : await startDesktop({ program: desktop, extension, folder: sample });
  if (workbench === undefined) return;

  console.log(workbench.greeting);
  console.log(
    `Try “Fix the failing test.” in the box “Ask Cordon”. The project is ${path.relative('', sample)}.`,
  );
  console.log('Ctrl-C stops everything.');
  const reason = await Promise.race([stopRequest(), workbench.ended]);
  await workbench.stop();
  if (reason instanceof Stop) throw reason;
  console.log('\nStopped.');
  process.exit(0);
});

/** Resolves when we are to stop: by signal, or because the npm that runs us is gone. */
function stopRequest() {
  return new Promise(resolve => {
    for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      process.on(name, () => resolve(name));
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const runner = runnerOf();
    setInterval(() => runnerOf() !== runner && resolve('orphaned'), 500).unref();
  });
}

/** The process number of the npm that runs us. It may have put a shell in between, which outlives it. */
function runnerOf() {
  const parent = process.ppid;
  try {
    if (!readFileSync(`/proc/${parent}/cmdline`, 'utf8').includes('start.mjs')) return parent;
    const status = readFileSync(`/proc/${parent}/status`, 'utf8');
    return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
  } catch {
    return parent;
  }
}
