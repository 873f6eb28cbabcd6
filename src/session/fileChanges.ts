import path from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { changeFile } from '../../sandbox/changeFile.ts';
import type { FileChangeRequest, FileChangeResult } from '../../sandbox/fileChange.ts';
import { protectionOf } from '../../sandbox/protectedPaths.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isSecretFile } from '../../sandbox/secretFiles.ts';
import { CordonError, messageOf } from '../base/errors.ts';
import { rpcErrors } from '../protocol/agent.ts';
import type { DeleteFile, WriteTextFile } from './agentMessages.ts';
import { denialError, deniedByPolicy, deniedBySandbox, type Denial } from './denial.ts';
import { fileDiff } from './fileDiff.ts';
import { placeOf } from './place.ts';
import type { Programs } from './session.ts';
import type { Turn } from './turn.ts';
import type { WriteAccess, WriteRequest } from './writeAccess.ts';

interface Options {
  readonly folders: readonly string[];
  readonly sandbox: Sandbox;
  readonly programs: Programs;
  readonly access: WriteAccess;
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
    const { folders, sandbox, programs } = this.options;
    const place = await placeOf(folders, change.path);
    if (place === undefined) return deniedBySandbox(outside(change.path));
    const denial = await this.#permit({ place, operation: kind, itemId }, signal);
    if (denial) return denial;
    turn.calls.change(toolCallId, { state: { kind: 'running', since: Date.now() } });
    try {
      const request = { ...change, path: place.path, roots: [place.folder] };
      const result = await changeFile(sandbox, programs, request, signal);
      return result.ok || result.code === 'conflict' ? result : deniedBySandbox(result.message);
    } catch (error) {
      if (!(error instanceof CordonError)) signal.throwIfAborted();
      return deniedBySandbox(messageOf(error));
    }
  }

  async #permit(request: WriteRequest, signal: AbortSignal): Promise<Denial | undefined> {
    const { place } = request;
    const secret = place.relative.find(relative => isSecretFile(path.posix.basename(relative)));
    if (secret !== undefined)
      return deniedByPolicy(`${secret} may hold secrets, so the agent has no part in it.`);
    for (const relative of place.relative) {
      const because = protectionOf(relative);
      if (because !== undefined) return await this.options.access.confirmProtected(request, because, signal);
    }
    return await this.options.access.ensure(request, signal);
  }
}

const done = { create: 'created', edit: 'changed', delete: 'deleted' } as const;

/** Bytes of one file that is written. */
const maxFile = 8_000_000;

function tooLarge(file: string): string {
  return `${file} was not written: more than ${maxFile / 1_000_000} MB at once.`;
}

function outside(file: string): string {
  return `${file} is not in a workspace folder, or a link leads out of it.`;
}
