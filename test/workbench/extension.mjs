import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { execute } from './execute.mjs';
import { cache, root } from './paths.mjs';
import { run, step } from './steps.mjs';

/**
 * Builds the extension for use and packages it, unless nothing that goes into it has changed.
 *
 * @param {string} node
 * @returns {Promise<{ file: string, fingerprint: string }>} the VSIX, and a hash of what it was made from
 */
export async function packageExtension(node) {
  const file = path.join(cache, 'cordon.vsix');
  const stamp = path.join(cache, 'cordon.vsix.made-from');
  const fingerprint = fingerprintOf(sources);
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) {
    return { file, fingerprint };
  }
  rmSync(stamp, { force: true });
  await step('Building and packaging the extension', async () => {
    const stage = path.join(cache, `package-${process.pid}`);
    try {
      await assemble(node, stage);
      await execute(
        node,
        [
          path.join(root, 'node_modules/@vscode/vsce/vsce'),
          'package',
          '--no-dependencies',
          '--allow-missing-repository',
          '--skip-license',
          '--no-rewrite-relative-links',
          // The folder is laid out by us; `files` then has nothing left to choose.
          '--allow-unused-files-pattern',
          `--target=${process.platform}-${process.arch}`,
          `--out=${file}`,
        ],
        { cwd: stage },
      );
    } finally {
      rmSync(stage, { recursive: true, force: true });
    }
  });
  writeFileSync(stamp, fingerprint);
  return { file, fingerprint };
}

/** What the package is made from. The lock file stands for everything that is bundled. */
const sources = [
  'src',
  'sandbox',
  'webview',
  'media',
  'package.json',
  'package-lock.json',
  'esbuild.mjs',
  'README.md',
  'LICENSE',
  'test/workbench/extension.mjs',
];

/**
 * Lays out what ships in a folder of its own: what `files` of package.json names, the bundles made for use, and the
 * two packages that cannot be bundled, each with the binary for this machine only.
 *
 * @param {string} node
 * @param {string} stage
 */
async function assemble(node, stage) {
  mkdirSync(stage, { recursive: true });
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const name of ['package.json', ...manifest.files]) {
    const from = path.join(root, name);
    if (name !== 'dist' && existsSync(from)) cpSync(from, path.join(stage, name), { recursive: true });
  }
  const dist = path.join(stage, 'dist');
  await execute(node, ['esbuild.mjs', '--production', '--out', dist], { cwd: root });

  // Below dist, where the bundles find them: vsce leaves out a node_modules folder at the top.
  const here = `${process.platform}-${process.arch}`;
  const prebuilt = process.platform === 'linux' && isMusl() ? `linuxmusl-${process.arch}` : here;
  for (const part of [
    'better-sqlite3/package.json',
    'better-sqlite3/LICENSE',
    'better-sqlite3/lib',
    `better-sqlite3/prebuilds/${prebuilt}.node`,
    '@vscode/ripgrep/package.json',
    '@vscode/ripgrep/LICENSE',
    '@vscode/ripgrep/lib',
    `@vscode/ripgrep-${here}`,
  ]) {
    cpSync(path.join(root, 'node_modules', part), path.join(dist, 'node_modules', part), { recursive: true });
  }
}

function isMusl() {
  return existsSync(`/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`);
}

/**
 * @param {readonly string[]} places files and folders of the project
 */
function fingerprintOf(places) {
  const hash = createHash('sha256');
  for (const place of places) {
    const top = path.join(root, place);
    if (!existsSync(top)) continue;
    const files = statSync(top).isDirectory()
      ? readdirSync(top, { recursive: true }).map(name => path.join(top, String(name)))
      : [top];
    for (const file of files.sort().filter(each => statSync(each).isFile())) {
      hash
        .update(`${path.relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

// `npm run package`: the VSIX, and where it is.
if (process.argv[1] === import.meta.filename) {
  await run(async () => console.log((await packageExtension(process.execPath)).file));
}
