// Builds everything that ships into dist/: the extension, the command line, the programs that run inside the
// sandbox, and the panel. `--watch` rebuilds on change (the F5 task); `--production` minifies; `--out DIR` builds
// elsewhere; `--only NAME` builds just what has this entry point.
import { rmSync } from 'node:fs';
import esbuild from 'esbuild';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');
const out = option('--out') ?? 'dist';
const only = option('--only');

/** @param {string} name */
function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** @type {esbuild.BuildOptions} */
const shared = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'linked',
  logLevel: 'warning',
  metafile: true,
};

/** @type {esbuild.BuildOptions} */
const node = {
  ...shared,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  // The package is "type": "module"; bundles say what they are by their name.
  outExtension: { '.js': '.cjs' },
  // The protocol's SDK imports zod by this second name, a barrel without side effects; esbuild then forgets to start
  // zod before it when zod is also reached by a dynamic import, and the program fails as it loads.
  alias: {
    // Its main file is UMD, which a bundler cannot follow.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
    'zod/v4': 'zod',
  },
  // better-sqlite3 and ripgrep are native and stay packages; vscode is given by the host.
  external: ['vscode', 'better-sqlite3', '@vscode/ripgrep'],
  // Some ESM-only dependencies ask for import.meta.url; in a CommonJS bundle that is this file.
  // VS Code complains of whoever looks for a navigator in the extension host; libraries do, to find that this is no browser.
  define: { 'import.meta.url': '__importMetaUrl', navigator: 'undefined' },
  banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const all = [
  { ...node, entryPoints: { extension: 'src/extension.ts' }, outdir: out },
  {
    ...node,
    entryPoints: {
      cli: 'src/cli/main.ts',
      'cli-sandbox': 'src/cli/sandbox.ts',
      'cli-check': 'src/cli/check.ts',
      'cli-sessions': 'src/cli/sessionCommands.ts',
    },
    outdir: out,
    banner: { js: '#!/usr/bin/env node\n' + node.banner.js },
    // Reading and compiling is most of what starting costs, so each start reads only what it needs.
    plugins: [besides({ sandbox: 'cli-sandbox', check: 'cli-check', sessionCommands: 'cli-sessions' })],
    // require() takes a file at once; import() would first start the loader for modules.
    supported: { 'dynamic-import': false },
  },
  // Bound read-only into sandboxes, one self-contained file each.
  {
    ...node,
    entryPoints: { agent: 'sandbox/agent/main.ts', 'file-writer': 'sandbox/fileWriter.ts' },
    outdir: out,
  },
  // A thread of the broker's.
  { ...node, entryPoints: { 'changes-worker': 'src/session/changes/worker.ts' }, outdir: out },
  {
    ...shared,
    entryPoints: { panel: 'webview/main.tsx' },
    outdir: `${out}/webview`,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
    tsconfig: 'webview/tsconfig.json',
  },
];

/**
 * What src/cli/main.ts imports when asked for is the bundle beside it that has this name.
 * @param {Record<string, string>} bundles
 * @returns {esbuild.Plugin}
 */
function besides(bundles) {
  return {
    name: 'besides',
    setup(build) {
      build.onResolve({ filter: /^\.\/\w+\.ts$/ }, ({ path, kind, importer }) => {
        const bundle = bundles[path.slice(2, -3)];
        return bundle !== undefined && kind === 'dynamic-import' && importer.endsWith('/src/cli/main.ts')
          ? { path: `./${bundle}.cjs`, external: true }
          : undefined;
      });
    },
  };
}

const builds = all.filter(({ entryPoints }) => only === undefined || only in entryPoints);

rmSync(out, { recursive: true, force: true });
if (watch) {
  // The editor's task waits for these two lines; the bundles count as one build.
  console.log('[watch] build started');
  let running = 0;
  const announce = {
    name: 'announce',
    setup(build) {
      build.onStart(() => void (running++ === 0 && console.log('[watch] build started')));
      build.onEnd(() => void (--running === 0 && console.log('[watch] build finished')));
    },
  };
  await Promise.allSettled(builds.map(build => esbuild.build(build)));
  console.log('[watch] build finished');
  for (const build of builds) await (await esbuild.context({ ...build, plugins: [announce] })).watch();
} else {
  const results = await Promise.allSettled(builds.map(build => esbuild.build(build)));
  // What is wrong has been printed by then.
  if (results.some(result => result.status === 'rejected')) process.exitCode = 1;
}
