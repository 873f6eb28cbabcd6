import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { changeFile } from '../../../sandbox/changeFile.ts';
import type { FileChangeRequest, FileChangeResult } from '../../../sandbox/fileChange.ts';
import { protectionOf } from '../../../sandbox/protectedPaths.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { rpcErrors } from '../../protocol/agent.ts';
import type { DeleteFile, WriteTextFile } from '../agent/agentMessages.ts';
import type { TurnChanges } from '../changes/turnChanges.ts';
import { denialError, deniedByPolicy, deniedBySandbox, type Denial } from '../consent/denial.ts';
import type { FolderAccess } from '../consent/folderAccess.ts';
import type { WriteAccess, WriteRequest } from '../consent/writeAccess.ts';
import type { Programs } from '../session.ts';
import type { Turn } from '../turn.ts';
import { fileDiff } from './fileDiff.ts';
import { keepOutside, type Kept } from './outsideTrash.ts';
import { placeOf, type Place } from './place.ts';
import type { UnsavedText } from './unsavedText.ts';

interface Options {
  readonly folders: readonly string[];
  readonly sandbox: Sandbox;
  readonly programs: Programs;
  readonly access: WriteAccess;
  readonly changes: TurnChanges;
  readonly outside: FolderAccess;
  /** Folder of the trash, for what is changed outside; nothing is kept when absent. */
  readonly trash: string | undefined;
  readonly unsaved: UnsavedText | undefined;
  /** Changes go to a copy of the workspace: one to unsaved text too, and the editor keeps what it has. */
  readonly isCopy: boolean;
  /** A file with this unsaved text was changed in the copy: from here on the copy is what the agent sees. */
  readonly onUnsavedChanged: (place: Place, text: string) => Promise<void>;
}

/** One change, and the tool call it belongs to. */
interface Change extends Omit<FileChangeRequest, 'roots'> {
  readonly toolCallId: string;
  readonly kind: WriteRequest['operation'];
}

/**
 * Changes files for the agent: asks where writing was not granted, lets the file writer do it in its own sandbox, and
 * shows what was really changed. Rejects with the protocol's `denied`, `conflict` or `tooLarge` error; then nothing was.
 */
export class FileChanges {
  constructor(private readonly options: Options) {}

  async write(request: WriteTextFile, turn: Turn, signal: AbortSignal): Promise<void> {
    const { path, content, toolCallId, expectedSha256 } = request;
    if (Buffer.byteLength(content) > maxFile) throw new RequestError(rpcErrors.tooLarge, tooLarge(path));
    const kind = expectedSha256 === null ? 'create' : 'edit';
    await this.#change({ toolCallId, kind, operation: 'write', path, content, expectedSha256 }, turn, signal);
  }

  async delete(
    { path, toolCallId, expectedSha256 }: DeleteFile,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#change(
      { toolCallId, kind: 'delete', operation: 'delete', path, expectedSha256 },
      turn,
      signal,
    );
  }

  async #change(change: Change, turn: Turn, signal: AbortSignal): Promise<void> {
    const { kind, toolCallId } = change;
    const { id: itemId } = turn.calls.change(toolCallId, { tool: kind === 'delete' ? 'delete' : 'edit' });
    const result = await this.#permittedChange(change, itemId, turn, signal);
    if ('by' in result) {
      turn.calls.deny(toolCallId, result, `${change.path} was not ${done[kind]}.`, signal);
      throw denialError(result);
    }
    if (!result.ok) throw new RequestError(rpcErrors.conflict, result.message);
    // A file that was there and is no text has no diff.
    const isComparable = !result.existed || result.oldContent !== undefined;
    const diff = fileDiff(result.path, result.oldContent ?? null, change.content ?? null);
    const { diffs } = turn.calls.open(toolCallId);
    turn.calls.change(toolCallId, { diffs: isComparable ? [...diffs, diff] : diffs });
  }

  async #permittedChange(
    { kind, toolCallId, ...change }: Change,
    itemId: string,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<Denial | Extract<FileChangeResult, { ok: true } | { code: unknown }>> {
    const { folders, sandbox, programs, unsaved } = this.options;
    const inWorkspace = await placeOf(folders, change.path);
    const place = inWorkspace ?? (await this.#grantedPlace(change.path, itemId, signal));
    if ('by' in place) return place;
    const isOutside = inWorkspace === undefined;
    const typed = unsaved?.textOf(place.path);
    // What the user has typed is not on disk: a change must be made to what they see, or not at all.
    if (typed !== undefined && (isOutside || !this.options.isCopy || kind !== 'edit'))
      return { ok: false, code: 'conflict', message: unsavedChanges(place.path) };
    if (typed !== undefined && sha256(typed) !== change.expectedSha256)
      return { ok: false, code: 'conflict', message: typedOn(place.path) };
    const denial = await this.#permit({ place, operation: kind, itemId }, isOutside, signal);
    if (denial) return denial;
    turn.calls.change(toolCallId, { state: { kind: 'running', since: Date.now() } });
    let over: (() => Promise<void>) | undefined;
    try {
      if (!isOutside) over = await this.options.changes.changing();
      const request = { ...change, path: place.path, roots: [place.folder], isOutside };
      // The writer compares with the disk, and what is there was not what the agent read.
      if (typed !== undefined) request.expectedSha256 = sha256(await readFile(place.path));
      const kept = isOutside ? this.#keep(place, kind) : undefined;
      const result = await changeFile(sandbox, programs, request, signal).catch((error: unknown) => {
        // Ended in the middle: it may have been changed, so what was there stays in the trash.
        kept?.done();
        throw error;
      });
      if (result.ok) kept?.done();
      else kept?.undone();
      if (result.ok && typed !== undefined) {
        await this.options.onUnsavedChanged(place, typed);
        return { ...result, oldContent: typed };
      }
      return result.ok || result.code === 'conflict' ? result : deniedBySandbox(result.message);
    } catch (error) {
      if (!(error instanceof CordonError)) signal.throwIfAborted();
      return deniedBySandbox(messageOf(error));
    } finally {
      await over?.();
    }
  }

  #keep({ folder, path: file }: Place, kind: WriteRequest['operation']): Kept | undefined {
    const { trash } = this.options;
    if (trash === undefined || kind === 'create') return undefined;
    return keepOutside(trash, { folder, file, why: kind === 'delete' ? 'deleted' : 'overwritten' });
  }

  /** A place outside of the workspace, asked for. Everything around it counts: what is protected is so by any name. */
  async #grantedPlace(file: string, itemId: string, signal: AbortSignal): Promise<Place | Denial> {
    const found = await this.options.outside.ensure({ path: file, access: 'write', itemId }, signal);
    if ('by' in found) return found;
    const relative = found.real.slice(1);
    return { folder: found.folder, path: found.real, relative: [relative, relative] };
  }

  async #permit(request: WriteRequest, isOutside: boolean, signal: AbortSignal): Promise<Denial | undefined> {
    const { place } = request;
    const secret = place.relative.find(relative => isSecretFile(path.posix.basename(relative)));
    if (secret !== undefined)
      return deniedByPolicy(`${secret} may hold secrets, so the agent has no part in it.`);
    for (const relative of place.relative) {
      const because = protectionOf(relative);
      // In a copy it is confirmed when it is taken over. What lies outside is the user's own file, whatever we work in.
      if (because !== undefined && (isOutside || !this.options.isCopy))
        return await this.options.access.confirmProtected(request, because, signal);
    }
    return isOutside ? undefined : await this.options.access.ensure(request, signal);
  }
}

const done = { create: 'created', edit: 'changed', delete: 'deleted' } as const;

/** Bytes of one file that is written. */
const maxFile = 8_000_000;

function tooLarge(file: string): string {
  return `${file} was not written: more than ${maxFile / 1_000_000} MB at once.`;
}

function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

function typedOn(file: string): string {
  return `${file} changed in the editor since it was read.`;
}

function unsavedChanges(file: string): string {
  return `${file} has changes in the editor that are not saved. Ask the user to save or revert it first.`;
}
