import { expect, test } from 'vitest';
import { bareEnvironment, commandEnvironment } from '../../../sandbox/environment.ts';

const facts = {
  user: { uid: 1000, gid: 1000, name: 'ann' },
  path: ['/home/ann/.cargo/bin', '/usr/bin'],
  toolchains: [
    {
      name: 'Rust',
      paths: ['/home/ann/.cargo/bin', '/home/ann/.rustup'],
      environment: { RUSTUP_HOME: '/home/ann/.rustup' },
    },
    { name: 'SDKMAN', paths: ['/home/ann/.sdkman/candidates'], environment: {} },
  ],
  system: [{ path: '/usr' }],
  certificateFiles: ['/home/ann/company.pem'],
};

const host = {
  PATH: '/home/ann/bin:/usr/bin',
  HOME: '/home/ann',
  USER: 'ann',
  SHELL: '/bin/zsh',
  LANG: 'de_DE.UTF-8',
  LC_TIME: 'C',
  TERM: 'xterm-256color',
  TZ: 'Europe/Berlin',
  CI: 'true',
  TMPDIR: '/var/folders/x',
  JAVA_HOME: '/home/ann/.sdkman/candidates/java/current',
  GOROOT: '/home/ann/secret-go',
  NODE_EXTRA_CA_CERTS: '/home/ann/company.pem',
  SSL_CERT_FILE: '/home/ann/other.pem',
  GITHUB_TOKEN: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  ANTHROPIC_API_KEY: 'x',
  CORDON_API_KEY: 'x',
  SSH_AUTH_SOCK: '/run/ssh',
  GIT_ASKPASS: 'x',
  VSCODE_IPC_HOOK_CLI: 'x',
  VSCODE_GIT_ASKPASS_NODE: 'x',
  ELECTRON_RUN_AS_NODE: '1',
  NODE_OPTIONS: '--require /evil.js',
  LD_PRELOAD: '/evil.so',
  LD_LIBRARY_PATH: '/evil',
  DYLD_INSERT_LIBRARIES: 'x',
  BASH_ENV: '/evil.sh',
  ENV: '/evil.sh',
  PYTHONSTARTUP: 'x',
  PROMPT_COMMAND: 'x',
  DBUS_SESSION_BUS_ADDRESS: 'x',
  DISPLAY: ':0',
  HTTP_PROXY: 'http://user:password@proxy',
  LC_SECRET_TOKEN: 'x',
  LC_TOKEN: 'x',
};

test('a command gets the names on the list and nothing else of the host', () => {
  expect(commandEnvironment(facts, host, { FORCED: '1' })).toEqual({
    PATH: '/home/ann/.cargo/bin:/usr/bin',
    HOME: '/run/cordon/home',
    SCREENDIR: '/run/cordon/home/.screen',
    LSAN_OPTIONS: 'detect_leaks=0',
    USER: 'ann',
    LOGNAME: 'ann',
    SHELL: '/bin/bash',
    TMPDIR: '/tmp',
    GIT_DISCOVERY_ACROSS_FILESYSTEM: '1',
    LANG: 'de_DE.UTF-8',
    LC_TIME: 'C',
    TERM: 'xterm-256color',
    TZ: 'Europe/Berlin',
    CI: 'true',
    JAVA_HOME: '/home/ann/.sdkman/candidates/java/current',
    NODE_EXTRA_CA_CERTS: '/home/ann/company.pem',
    RUSTUP_HOME: '/home/ann/.rustup',
    FORCED: '1',
  });
});

test('the agent gets locale, time zone and what it is given', () => {
  expect(bareEnvironment(false, host, { A: 'b' })).toEqual({
    HOME: '/nonexistent',
    PATH: '/nonexistent',
    LANG: 'de_DE.UTF-8',
    TZ: 'Europe/Berlin',
    A: 'b',
  });
  expect(bareEnvironment(true, {})['ELECTRON_RUN_AS_NODE']).toBe('1');
});
