/** Where diagnostics go: VS Code's LogOutputChannel in the extension, standard error in the command line. Never a key. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Drops everything; for callers that have nowhere to write. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };
