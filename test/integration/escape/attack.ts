/**
 * One attempt to get out, as a bash script. It finds in its environment what a real attacker would know or guess:
 *
 * - `VICTIM_HOME`: the user's home, with `canary.txt` and the usual credential files, each holding the secret
 * - `WORKSPACE`: the folder it works in, with `.env` and keys that hold the secret, `.git`, `.vscode`, …
 * - `OUTSIDE`: a folder of the user's beside the workspace, with `file.txt`, which holds the secret
 * - `PORT`, `PORT6`, `UDP_PORT`, `UNIX_SOCKET`, `ABSTRACT_SOCKET`: services of the host that note what they are sent
 * - `HOST_PID`: a process of the host with the secret in its arguments and environment, which notes a SIGUSR1
 * - `TOKEN`: what to send to a service
 */
export interface Attack {
  /** As in "cannot …". */
  readonly name: string;
  readonly script: string;
  readonly proof: Proof;
  /** What the command may write. Default: the workspace itself, the widest there is. */
  readonly view?: 'readOnly' | 'overlay';
  /** Only root can do this even without a sandbox. */
  readonly needsRoot?: true;
}

/** What shows that an attack came through. */
export type Proof =
  /** It printed the secret. */
  | 'printsSecret'
  /** A file of the host, below OUTSIDE, VICTIM_HOME or WORKSPACE, is there or holds the token. */
  | { readonly file: string }
  /** A file of the host changed or is gone. */
  | { readonly changed: string }
  /** A service of the host received the token. */
  | 'reachesService'
  /** It judged by itself, and printed ESCAPED. */
  | 'saysSo';
