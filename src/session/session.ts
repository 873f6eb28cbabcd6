import type { CureTerm } from './consent/cures.ts';
import type { Log } from '../base/log.ts';
import type { ModelBackend } from '../gateway/gateway.ts';
import type { ApprovalAnswer } from '../protocol/approval.ts';
import type { ModelSettings } from '../protocol/model.ts';
import type { Conversation, SessionEvent } from '../protocol/transcript.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { CommandPolicy } from '../policy/policy.ts';
import type { WorkingCopy } from './changes/workingCopy.ts';
import type { NetworkAccess } from './network/networkAccess.ts';
import type { FolderGrants } from './consent/folderGrants.ts';
import type { SessionGrants } from './consent/sessionGrants.ts';
import type { UnsavedText } from './files/unsavedText.ts';

/** Where the programs are that run inside. Absolute host paths. */
export interface Programs {
  /** Node 22 or newer, or Electron run as Node. */
  readonly node: string;
  /** dist/agent.cjs, dist/file-writer.cjs, and the ripgrep binary. */
  readonly agent: string;
  readonly fileWriter: string;
  readonly ripgrep: string;
}

/** How commands and changes of files are allowed beforehand, as whole sentences. */
export interface Unattended {
  readonly command: string;
  readonly write: string;
  readonly protectedWrite: string;
  /** For a host, named as a grant names it. */
  readonly host: (grant: string) => string;
  readonly folder: string;
}

/** What a session is given; it fetches nothing by itself. */
export interface SessionOptions {
  readonly id: string;
  /** The conversation so far, when an old one is taken up again. */
  readonly resume?: Conversation;
  /** Workspace folders; the first is where commands start. */
  readonly folders: readonly string[];
  readonly model: ModelSettings;
  readonly backend: ModelBackend;
  readonly sandbox: Sandbox;
  /** The copy of the workspace that `sandbox` shows. Absent: the user's own files are shown, and writing is asked for. */
  readonly workingCopy?: WorkingCopy;
  /** The way out that the sandbox was opened with. Absent: commands have none. Outlives the session. */
  readonly network?: NetworkAccess;
  /** Asked for each command, so that changed rules count at once; with the folders outside that it may read. */
  readonly policy: (granted: readonly string[]) => CommandPolicy;
  /** Folders that may be written without asking (the user's standing grant). */
  readonly writableFolders: () => readonly string[];
  /** True in locked mode: no file is changed, and nobody is asked. Asked for each change; commands are the policy's. */
  readonly isLocked?: () => boolean;
  /** Called when the user answers "always"; writes the rule or grant. A rejection is shown and counts as allow once. */
  readonly remember: (
    answer: Extract<ApprovalAnswer, { kind: 'alwaysAllow' }>,
    what: 'command' | 'write',
  ) => Promise<void>;
  /** What is open outside of the workspace. Absent: nothing, and nobody is asked. */
  readonly folderGrants?: FolderGrants;
  /** Folder of the trash, for what the file tools overwrite or delete there. Absent: nothing is kept. */
  readonly trash?: string;
  /** What the editor holds unsaved. Absent: files are what they are on disk. */
  readonly unsaved?: UnsavedText;
  readonly programs: Programs;
  /** Folder of the broker's (0700, short path) for the gateway's socket. */
  readonly runDirectory: string;
  /**
   * 60 model requests in a turn and 150,000 tokens of context when absent. `wallTime`: milliseconds that a command in
   * the foreground may run; no limit when absent. `turnTime`: milliseconds of work in one turn; an hour when absent.
   */
  readonly limits?: {
    readonly maxRequests: number;
    readonly contextTokens: number;
    readonly wallTime?: number;
    readonly turnTime?: number;
  };
  readonly onEvent: (event: SessionEvent) => void;
  readonly log: Log;
  /** Where nobody can be asked (the command line): what is asked is denied, with these words on how to allow it. */
  readonly unattended?: Unattended;
}

/** One conversation with its agent process. The agent starts with the first prompt, and again if it died. */
export interface Session extends AsyncDisposable {
  readonly id: string;
  /** What the user allowed for as long as this session lives. */
  readonly grants: SessionGrants;
  readonly conversation: Conversation;
  /** Runs one turn; resolves when it ended, however it ended (see the `turnEnd` item). Rejects when one is running. */
  prompt(text: string): Promise<void>;
  /** Ends the turn at once: the model stream, running foreground commands, open approvals (which count as no). */
  stop(): Promise<void>;
  /** Ends the commands that were let run by what does not hold any more: a grant, or a rule. */
  recheck(what: 'grants' | 'rules'): Promise<void>;
  /** The user saved a file of the workspace: the agent's copy shows it as soon as no command runs in it. */
  saved(): Promise<void>;
  /** False when the request is no longer open: the first answer won. */
  answerApproval(id: string, answer: ApprovalAnswer): boolean;
  answerQuestion(id: string, answer: string): boolean;
  /**
   * Lifts what a wall refused a command, as the user said: for one more run of it, for the session, or (when a setting does it) marks it as
   * lifted for always. False when the conversation holds no such denial, or when it cannot be lifted like this.
   */
  liftDenial(itemId: string, index: number, how: CureTerm): boolean;
}
