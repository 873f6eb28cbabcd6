import type { ApprovalAnswer } from '../../protocol/approval.ts';
import { isCopy } from '../changes/workingCopy.ts';
import type { SessionOptions } from '../session.ts';
import type { Notices } from '../transcript/notices.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { Approvals } from './approvals.ts';
import { CommandApproval } from './commandApproval.ts';
import { Cures } from './cures.ts';
import { FolderAccess } from './folderAccess.ts';
import { HiddenFiles } from './hiddenFiles.ts';
import { WriteAccess } from './writeAccess.ts';

/** Everything that says what the agent of one session may do, each asking the user where nobody said so before. */
export interface Consent {
  readonly approvals: Approvals;
  readonly commands: CommandApproval;
  /** Changing files of the workspace. */
  readonly access: WriteAccess;
  /** Files and folders outside of it. */
  readonly outside: FolderAccess;
  /** Files of the workspace that look like secrets. */
  readonly hidden: HiddenFiles;
  /** Walls that the user lifted. */
  readonly cures: Cures;
}

/** Hosts are asked about from here on as well, by the way out that the sandbox was opened with. */
export function openConsent(options: SessionOptions, transcript: Transcript, notices: Notices): Consent {
  const { id, folders, unattended, network, folderGrants: grants } = options;
  const approvals = new Approvals(id, transcript);
  const warn = (code: string, text: string) => notices.tell('warning', code, text);
  const shared = { approvals, unattended, warn };
  const remember = (what: 'command' | 'write') => (answer: AlwaysAllow) => options.remember(answer, what);
  const isLocked = options.isLocked ?? (() => false);
  const access = new WriteAccess({
    ...shared,
    folders,
    standing: options.writableFolders,
    isCopy: isCopy(options.workingCopy),
    isLocked,
    remember: remember('write'),
  });
  const outside = new FolderAccess({ ...shared, conversation: id, grants, isLocked });
  const granted = () => outside.visible(false).flatMap(each => (each.access === 'none' ? [] : [each.path]));
  const commands = new CommandApproval({
    ...shared,
    policy: () => options.policy(granted()),
    remember: remember('command'),
  });
  network?.attach({ ...shared, transcript });
  const cures = new Cures(transcript, network);
  const hidden = new HiddenFiles({
    approvals,
    cures,
    canAsk: unattended === undefined,
    isOwn: file => options.workingCopy?.holds?.(file) ?? false,
  });
  return { approvals, commands, access, outside, hidden, cures };
}

type AlwaysAllow = Extract<ApprovalAnswer, { kind: 'alwaysAllow' }>;
