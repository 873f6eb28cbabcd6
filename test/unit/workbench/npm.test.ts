import { expect, test } from 'vitest';
import { workbenchEnvironment } from '../../workbench/environment.mjs';
import { npmEnvironment } from '../../workbench/npm.mjs';

test('npm started by npm keeps where packages come from, and none of the outer one’s orders', () => {
  const inner = npmEnvironment({
    HOME: '/home/me',
    NODE_EXTRA_CA_CERTS: '/etc/ca.crt',
    npm_config_cache: '/cache',
    npm_config_registry: 'https://registry.example/',
    npm_config_userconfig: '/home/me/.npmrc',
    npm_config_prefix: '/nonexistent',
    npm_config_local_prefix: '/project',
    npm_config_omit: 'dev',
    NPM_CONFIG_PRODUCTION: 'true',
    npm_config_ignore_scripts: 'false',
    npm_package_name: 'cordon',
    npm_lifecycle_event: 'start',
    npm_execpath: '/npm-cli.js',
    NODE_ENV: 'production',
    INIT_CWD: '/project',
  });

  expect(inner).toEqual({
    HOME: '/home/me',
    NODE_EXTRA_CA_CERTS: '/etc/ca.crt',
    npm_config_cache: '/cache',
    npm_config_registry: 'https://registry.example/',
    npm_config_userconfig: '/home/me/.npmrc',
  });
});

test('a workbench gets the person’s environment without what VS Code, npm and test runners put there', () => {
  const { PATH, HOME, EXTENSIONS_GALLERY, ...rest } = workbenchEnvironment({
    PATH: '/project/node_modules/.bin:/npm/node-gyp-bin:/usr/local/bin:/usr/bin',
    HOME: '/home/me',
    VSCODE_IPC_HOOK_CLI: '/run/vscode.sock',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--inspect',
    VITEST: 'true',
    npm_config_cache: '/cache',
    PASSWORD: 'secret',
    LANG: 'de_DE.UTF-8',
  });

  expect({ PATH, HOME }).toEqual({ PATH: '/usr/local/bin:/usr/bin', HOME: '/home/me' });
  expect(EXTENSIONS_GALLERY).toContain('127.0.0.1');
  expect(rest).toEqual({ LANG: 'de_DE.UTF-8', VSCODE_CLI: '1' });
});
