/** Environment variables whose value is neither secret nor steers a program; printing them is harmless. */
export const plainVariables: ReadonlySet<string> = new Set(
  `HOME USER LOGNAME PWD OLDPWD SHELL PATH LANG LANGUAGE LC_ALL LC_CTYPE TERM COLORTERM TZ HOSTNAME HOSTTYPE OSTYPE MACHTYPE
  UID EUID PPID BASHPID RANDOM SRANDOM SECONDS EPOCHSECONDS EPOCHREALTIME LINENO SHLVL BASH_VERSION BASH COLUMNS LINES
  CI NODE_ENV NO_COLOR EDITOR VISUAL PAGER TMPDIR VIRTUAL_ENV CONDA_DEFAULT_ENV CONDA_PREFIX JAVA_HOME GOPATH GOROOT
  CARGO_HOME RUSTUP_HOME NVM_DIR PYENV_ROOT XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_RUNTIME_DIR DISPLAY
  ? # $ ! - 0 _`.split(/\s+/),
);

/** Those whose value is always a number, so that it can be neither an option nor a path. */
export const numberVariables: ReadonlySet<string> = new Set(
  '? # $ ! UID EUID PPID BASHPID RANDOM SRANDOM SECONDS EPOCHSECONDS LINENO SHLVL COLUMNS LINES'.split(' '),
);

/**
 * Names that may be set by a statement of their own (`name=value`). Lower case means nothing to bash nor to programs,
 * but for the proxies and npm's; upper case is by list, because most of what steers programs is written so.
 */
export function isPlainAssignment(name: string): boolean {
  if (/^[a-z][a-z0-9_]*$/.test(name))
    return !/_proxy$|^npm_|^histchars$|^auto_resume$|^path$|^cdpath$/.test(name);
  return /^(?:[A-Z]|FILES?|DIRS?|SRC|SRC_DIR|ROOT|ROOT_DIR|SCRIPT_DIR|BASE_DIR|COUNT|TOTAL|NUM|NAME|NAMES|RESULT|RESULTS|OUT|OUTPUT|INPUT|VERSION|VER|BRANCH|COMMIT|SHA|HASH|TAG|MSG|MESSAGE|PATTERN|LIST|ITEMS?|INDEX|LINE|KEY_COUNT|SIZE|LEN|LENGTH|START|END|NOW|TODAY|DATE|TARGET|PROJECT|PKG|PACKAGE|MODULE|EXT|FOUND|STATUS|CODE|RC|ERR)$/.test(
    name,
  );
}

/** Variables that may be set for one command, with the values that are known to be harmless. */
const harmlessForCommand: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(?:LC_[A-Z]+|LANG|LANGUAGE)$/, /^[\w.@-]*$/],
  [/^TZ$/, /^[A-Za-z][\w+-]*(?:\/[A-Za-z][\w+-]*){0,2}$/],
  [
    /^(?:NO_COLOR|CLICOLOR|CLICOLOR_FORCE|FORCE_COLOR|CI|COLUMNS|LINES|POSIXLY_CORRECT)$/,
    /^(?:\d*|true|false)$/,
  ],
  [/^(?:PAGER|GIT_PAGER|MANPAGER|SYSTEMD_PAGER)$/, /^(?:cat|)$/],
  [/^TERM$/, /^(?:dumb|xterm|xterm-256color|vt100|linux|screen|ansi)$/],
  [/^(?:NODE_ENV)$/, /^(?:test|development|production)$/],
  [
    /^(?:GIT_OPTIONAL_LOCKS|GIT_TERMINAL_PROMPT|GIT_LITERAL_PATHSPECS|GIT_NO_LAZY_FETCH|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE)$/,
    /^[01]$/,
  ],
];

/** True when setting this variable to this value for one command changes nothing but how it prints. */
export function isHarmlessForCommand(name: string, value: string | undefined): boolean {
  return (
    value !== undefined &&
    harmlessForCommand.some(([names, values]) => names.test(name) && values.test(value))
  );
}
