import path from 'node:path';
import type { GrantedFolder } from '../../../sandbox/grantedFolders.ts';
import { isInside } from '../../../sandbox/inside.ts';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import { messageOf } from '../../base/errors.ts';
import { credentialIn } from '../../policy/paths/credentials.ts';
import type { ApprovalAnswer, ApprovalSubject } from '../../protocol/approval.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { Approvals } from './approvals.ts';
import { deniedByPolicy, deniedByUser, unanswered, type Denial } from './denial.ts';
import type { FolderGrant, FolderGrants } from './folderGrants.ts';
import { offeredFolder } from './offeredFolder.ts';
import { realOfNearest } from '../files/place.ts';
import type { Unattended } from '../session.ts';

/** A path outside of the workspace that the agent wants, and for which call of its. */
export interface OutsideRequest {
  /** Absolute. */
  readonly path: string;
  readonly access: 'read' | 'write';
  readonly itemId: string;
}

/** It may: the real path, and the granted folder (or file) that it lies in. */
export interface OutsidePlace {
  readonly real: string;
  readonly folder: string;
}

interface Options {
  readonly conversation: string;
  readonly approvals: Approvals;
  /** Absent: nothing outside is open, and nobody is asked. */
  readonly grants: FolderGrants | undefined;
  readonly unattended: Unattended | undefined;
  /** No file is changed, whatever was granted. */
  readonly isLocked: () => boolean;
  readonly warn: (code: string, text: string) => void;
}

/** What lies outside of the workspace, for one conversation: what is open, and the asking for more. */
export class FolderAccess {
  /** Questions under way, by folder and access: several reads at once are one question. */
  readonly #asking = new Map<string, Promise<Denial | undefined>>();
  /** Answered with no in this turn: asked again it would only be pressed for. */
  readonly #refused = new Map<string, Denial>();

  constructor(private readonly options: Options) {}

  /** What a command sees. `lasting` leaves out what was granted for this turn only. */
  visible(lasting: boolean): GrantedFolder[] {
    const { grants, conversation, warn, isLocked } = this.options;
    try {
      const visible = grants?.visible(conversation, lasting) ?? [];
      return isLocked()
        ? visible.map(each => (each.access === 'write' ? { ...each, access: 'read' } : each))
        : visible;
    } catch (error) {
      warn('grants.unreadable', messageOf(error));
      return [];
    }
  }

  endTurn(): void {
    this.#refused.clear();
    this.options.grants?.endTurn(this.options.conversation);
  }

  /** Counts a command as a use of every granted folder that it runs in or names. */
  usedBy(command: string, cwd: string): void {
    for (const { path: folder, access } of this.visible(false)) {
      if (access === 'none' || !(isInside(cwd, folder) || command.includes(folder))) continue;
      const grant = this.#find(folder, access);
      if (grant !== undefined) this.options.grants?.use(grant);
    }
  }

  /** Makes sure that the path may be read or written, asking if need be. */
  async ensure(request: OutsideRequest, signal: AbortSignal): Promise<OutsidePlace | Denial> {
    const { grants, isLocked, unattended } = this.options;
    const { access } = request;
    if (access === 'write' && isLocked()) return deniedByPolicy(locked);
    const real = await realOfNearest(path.resolve(request.path));
    if (real === undefined || grants === undefined) return deniedByPolicy(closed(request.path));
    if (mayHoldSecrets(request.path) || mayHoldSecrets(real))
      return deniedByPolicy(`${request.path} may hold secrets, so the agent has no part in it.`);
    try {
      const before = this.#decided(real, access);
      if (before !== undefined) return before;
      const offer = await offeredFolder(real, folder => grants.check(folder, access));
      if (typeof offer === 'string') return deniedByPolicy(offer);
      if (unattended !== undefined) return deniedByPolicy(`${closed(request.path)} ${unattended.folder}`);
      const key = `${access} ${offer.folder}`;
      const refused = this.#refused.get(key);
      if (refused !== undefined) return refused;
      const asking = this.#asking.get(key) ?? this.#ask(key, offer, { ...request, path: real }, signal);
      const denial = await asking;
      if (denial !== undefined) return denial;
      return (
        this.#decided(real, access) ??
        deniedByUser(`Another folder was allowed instead; ${real} is not in it.`)
      );
    } catch (error) {
      return deniedByPolicy(messageOf(error));
    }
  }

  /** The standing answer for a real path, counted as a use if it opens it. */
  #decided(real: string, access: 'read' | 'write'): OutsidePlace | Denial | undefined {
    const { grants } = this.options;
    const grant = this.#find(real, access);
    if (grant === undefined) return undefined;
    if (grant.answer === 'never') return deniedByPolicy(never(grant));
    // A folder may have become what may not be granted, or a link, since it was.
    if (grants?.check(grant.path, access) !== grant.path) return undefined;
    grants.use(grant);
    return { real, folder: grant.path };
  }

  #find(real: string, access: 'read' | 'write'): FolderGrant | undefined {
    return this.options.grants?.find(real, access, this.options.conversation);
  }

  #ask(
    key: string,
    { folder, around }: { folder: string; around: readonly string[] },
    { path: file, access, itemId }: OutsideRequest,
    signal: AbortSignal,
  ): Promise<Denial | undefined> {
    const recent = (this.options.grants?.recent() ?? []).filter(
      each => each !== folder && !around.includes(each),
    );
    const subject: ApprovalSubject = {
      kind: 'folder',
      folder,
      path: file,
      access,
      around: [...around],
      recent,
    };
    const asking = this.options.approvals
      .ask(itemId, subject, decision(access), signal)
      .then(answer => this.#settle(folder, access, answer))
      .then(denial => {
        if (denial?.by === 'user') this.#refused.set(key, denial);
        return denial;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** Takes the answer down. What cannot be kept for good counts for less, never for more. */
  #settle(offered: string, access: 'read' | 'write', answer: ApprovalAnswer | null): Denial | undefined {
    const { grants, conversation } = this.options;
    if (answer === null || grants === undefined) return unanswered();
    if (answer.kind === 'deny') return deniedByUser(answer.words);
    const chosen =
      answer.kind === 'alwaysAllow' ? answer.pattern : 'folder' in answer ? answer.folder : undefined;
    // Checked anew: the disk is not what it was when the question came up.
    const folder = grants.check(chosen ?? offered, answer.kind === 'never' ? 'read' : access);
    switch (answer.kind) {
      case 'never':
        grants.add(folder, access, 'never', conversation);
        return deniedByPolicy(never({ path: folder, access }));
      case 'allowToday':
        grants.add(folder, access, 'today', conversation);
        return undefined;
      case 'alwaysAllow':
        this.#addForGood(folder, access);
        return undefined;
      case 'allowOnce':
      case 'allowForSession':
        grants.add(folder, access, 'once', conversation);
        return undefined;
    }
  }

  #addForGood(folder: string, access: 'read' | 'write'): void {
    const { grants, conversation, warn } = this.options;
    try {
      grants?.add(folder, access, 'always', conversation);
    } catch (error) {
      const text = `The grant could not be stored, so it counts for this turn only: ${messageOf(error)}`;
      warn('approval.notRemembered', text);
      grants?.add(folder, access, 'once', conversation);
    }
  }
}

const locked = 'Cordon is in locked mode, in which no file is changed.';

function closed(file: string): string {
  return `${file} is outside of the workspace folders.`;
}

function never({ path: folder, access }: Pick<FolderGrant, 'path' | 'access'>): string {
  return `The user said that ${access === 'read' ? 'reading' : 'changing'} ${folder} is never to be allowed.`;
}

function mayHoldSecrets(file: string): boolean {
  return isSecretFile(path.basename(file)) || credentialIn(file.split('/')) !== undefined;
}

function decision(access: 'read' | 'write'): Decision {
  const message =
    access === 'read'
      ? 'It is outside of the workspace. What is read there goes to the model.'
      : 'It is outside of the workspace: these are your own files, and a change is there at once, without a review.';
  return {
    decision: 'ask',
    risk: access === 'read' ? 40 : 70,
    reasons: [{ code: `folder.${access}`, message, span: [0, 0] }],
  };
}
