import { expect, test } from 'vitest';
import { proxyEnvironment } from '../../../src/egress/proxyEnvironment.ts';

test('every tool finds the proxy under its own spelling', () => {
  const url = 'http://127.0.0.1:40123';
  const direct = 'localhost,127.0.0.1,::1';
  const all = {
    HTTP_PROXY: url,
    http_proxy: url,
    HTTPS_PROXY: url,
    https_proxy: url,
    ALL_PROXY: url,
    all_proxy: url,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: '1',
    npm_config_proxy: url,
    npm_config_https_proxy: url,
    npm_config_noproxy: direct,
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    PIP_PROXY: url,
    CARGO_HTTP_PROXY: url,
    GIT_TERMINAL_PROMPT: '0',
    JAVA_TOOL_OPTIONS:
      '-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=40123 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=40123 ' +
      '-Dhttp.nonProxyHosts=localhost|127.*|[::1]',
    ELECTRON_GET_USE_PROXY: '1',
    npm_config_update_notifier: 'false',
    NO_UPDATE_NOTIFIER: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    DO_NOT_TRACK: '1',
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    NEXT_TELEMETRY_DISABLED: '1',
    ASTRO_TELEMETRY_DISABLED: '1',
    YARN_ENABLE_TELEMETRY: '0',
    CHECKPOINT_DISABLE: '1',
    CORDON_PROXY: url,
    CORDON_SOCKS: 'socks5h://127.0.0.1:40123',
  };
  expect(proxyEnvironment(40123, true)).toEqual(all);
  const { JAVA_TOOL_OPTIONS: _, ...quiet } = all;
  expect(proxyEnvironment(40123, false)).toEqual(quiet);
});
