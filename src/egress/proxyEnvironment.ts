/**
 * The variables by which programs find the proxy on 127.0.0.1:`port`. Each tool has its own spelling; what listens on
 * loopback inside is reached without it. Pure.
 *
 * ALL_PROXY names the HTTP proxy too: several Python libraries fail at import on a SOCKS address there.
 *
 * Java announces its variable on standard error each time it starts, where scripts look for its version. `java` is for
 * who asked for a network; elsewhere Java finds the way by the names that are served to it.
 */
export function proxyEnvironment(port: number, java: boolean): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  return {
    ...both('HTTP_PROXY', url),
    ...both('HTTPS_PROXY', url),
    ...both('ALL_PROXY', url),
    ...both('NO_PROXY', 'localhost,127.0.0.1,::1'),
    // Node's own fetch and http, from 22.21 and 24.5 on.
    NODE_USE_ENV_PROXY: '1',
    npm_config_proxy: url,
    npm_config_https_proxy: url,
    npm_config_noproxy: 'localhost,127.0.0.1,::1',
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    PIP_PROXY: url,
    CARGO_HTTP_PROXY: url,
    // Git asks no terminal for a password that nobody is there to type.
    GIT_TERMINAL_PROMPT: '0',
    ...(java ? { JAVA_TOOL_OPTIONS: javaOptions(port) } : {}),
    ELECTRON_GET_USE_PROXY: '1',
    ...noUnaskedTraffic,
    CORDON_PROXY: url,
    CORDON_SOCKS: `socks5h://127.0.0.1:${port}`,
  };
}

/**
 * What programs would send by themselves: looking for newer versions of themselves, telling their makers of their use.
 * Nobody asked for it, and each would be a question to the user.
 */
const noUnaskedTraffic = {
  npm_config_update_notifier: 'false',
  NO_UPDATE_NOTIFIER: '1',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  DO_NOT_TRACK: '1',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  YARN_ENABLE_TELEMETRY: '0',
  CHECKPOINT_DISABLE: '1',
} as const;

function both(name: string, value: string): Record<string, string> {
  return { [name]: value, [name.toLowerCase()]: value };
}

function javaOptions(port: number): string {
  return [
    '-Dhttp.proxyHost=127.0.0.1',
    `-Dhttp.proxyPort=${port}`,
    '-Dhttps.proxyHost=127.0.0.1',
    `-Dhttps.proxyPort=${port}`,
    '-Dhttp.nonProxyHosts=localhost|127.*|[::1]',
  ].join(' ');
}
