import { expect, test } from 'vitest';
import { isInside } from '../../../sandbox/inside.ts';
import { protectionOf } from '../../../sandbox/protectedPaths.ts';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';

test.each([
  '.env',
  '.env.local',
  '.env.production',
  '.ENV',
  '.envrc',
  'server.pem',
  'a.b.key',
  'id_rsa',
  'id_ed25519',
  'id_rsa.bak',
  'id_work',
  'cert.p12',
  'store.jks',
  '.netrc',
  '.git-credentials',
])('%s is a secret', name => {
  expect(isSecretFile(name)).toBe(true);
});

test.each([
  '.env.example',
  '.env.sample',
  '.env.template',
  'env.ts',
  'environment.md',
  'id_map.ts',
  'id_rsa.pub',
  'id_ed25519.pub',
  'key.ts',
  'keyboard',
  'pem.js',
  'README.md',
  'package.json',
])('%s is not a secret', name => {
  expect(isSecretFile(name)).toBe(false);
});

test.each([
  '.git/hooks/pre-commit',
  '.git/hooks',
  '.git/config',
  'sub/.git/config',
  '.vscode/tasks.json',
  'a/b/.vscode',
  'x.code-workspace',
  '.envrc',
  '.bashrc',
  '.github/workflows/ci.yml',
  '.gitlab-ci.yml',
  'package.json',
  'packages/a/package.json',
  'AGENTS.md',
  'docs/AGENTS.md',
  'CLAUDE.md',
  '.claude/settings.json',
  '.mcp.json',
  '.husky/pre-commit',
  'bare/HEAD',
  '.cargo/config.toml',
  'web/.yarnrc.yml',
  '.github/hooks/evil.json',
  '.codex/config.toml',
  '.forgejo/workflows/ci.yml',
])('%s is protected, with a reason', path => {
  expect(protectionOf(path)).toMatch(/^[a-z].+[a-z]$/);
});

test.each([
  'src/index.ts',
  '.git/index',
  '.git/configuration',
  'src/HEAD.md',
  'agents/x.md',
  '.config/toml',
  '.github/dependabot.yml',
  'vscode/tasks.json',
  'package-lock.json',
  'my-package.json',
  'AGENTS.md.bak',
  'hooks/pre-commit',
  'a.code-workspace.txt',
])('%s is an ordinary file', path => {
  expect(protectionOf(path)).toBeUndefined();
});

test('inside means the folder itself or below it, not a name that begins alike', () => {
  expect([
    isInside('/a/b', '/a/b'),
    isInside('/a/b/c', '/a/b'),
    isInside('/a/bc', '/a/b'),
    isInside('/a', '/a/b'),
    isInside('/x', '/'),
  ]).toEqual([true, true, false, false, true]);
});
