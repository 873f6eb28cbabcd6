import type { SandboxFacts } from './facts.ts';
import { certificateVariables } from './facts.ts';
import { isInside } from './inside.ts';
import { homeInside } from './stateFiles.ts';

/**
 * The environment of a command: a few names taken from the host's by allowlist, the sandbox's own, and what the
 * launch adds. Everything else of the host's environment stays outside, known or not. Pure.
 */
export function commandEnvironment(
  facts: Pick<SandboxFacts, 'user' | 'path' | 'toolchains' | 'system' | 'certificateFiles'>,
  host: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(host))
    if (value !== undefined && passed.some(pattern => pattern.test(name))) environment[name] = value;

  // Places count only where the sandbox shows them.
  const shown = [...facts.system.map(each => each.path), ...facts.toolchains.flatMap(each => each.paths)];
  for (const name of placeVariables) {
    const value = host[name];
    if (value !== undefined && shown.some(each => isInside(value, each))) environment[name] = value;
  }
  for (const name of certificateVariables) {
    const value = host[name];
    if (
      value !== undefined &&
      (facts.certificateFiles.includes(value) || shown.some(each => isInside(value, each)))
    )
      environment[name] = value;
  }
  for (const toolchain of facts.toolchains) Object.assign(environment, toolchain.environment);
  return {
    ...environment,
    PATH: facts.path.join(':'),
    HOME: homeInside,
    USER: facts.user.name,
    LOGNAME: facts.user.name,
    SHELL: '/bin/bash',
    TMPDIR: '/tmp',
    // A repository around the workspace is a mount of its own; git stops at those unless told otherwise.
    GIT_DISCOVERY_ACROSS_FILESYSTEM: '1',
    // Its own place is in /run, where nobody may write.
    SCREENDIR: `${homeInside}/.screen`,
    // The search for leaks stops the program by tracing it, which the walls refuse; every program would fail at its end.
    LSAN_OPTIONS: 'detect_leaks=0',
    ...added,
  };
}

/** The environment of the agent and the file writer: nothing of the host's but locale and time zone. Pure. */
export function bareEnvironment(
  isElectron: boolean,
  host: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = { HOME: '/nonexistent', PATH: '/nonexistent', ...added };
  for (const name of ['LANG', 'LC_ALL', 'TZ']) {
    const value = host[name];
    if (value !== undefined) environment[name] = value;
  }
  if (isElectron) environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}

/** Locale, terminal, time zone, and the wish for colour or for none. No name here ever carries a secret. */
const passed = [
  /^LANG$/,
  /^LANGUAGE$/,
  /^LC_(ALL|ADDRESS|COLLATE|CTYPE|IDENTIFICATION|MEASUREMENT|MESSAGES|MONETARY|NAME|NUMERIC|PAPER|TELEPHONE|TIME)$/,
  /^TZ$/,
  /^TERM$/,
  /^COLORTERM$/,
  /^NO_COLOR$/,
  /^FORCE_COLOR$/,
  /^CLICOLOR(_FORCE)?$/,
  /^COLUMNS$/,
  /^LINES$/,
  /^CI$/,
];

/** Where toolchains are. */
const placeVariables = [
  'JAVA_HOME',
  'GOROOT',
  'GRADLE_HOME',
  'MAVEN_HOME',
  'M2_HOME',
  'DOTNET_ROOT',
  'ANDROID_HOME',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
];
