import path from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { changeFile, type FileChange } from '../../sandbox/changeFile.ts';
import { protectionOf } from '../../sandbox/protectedPaths.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isSecretFile } from '../../sandbox/secretFiles.ts';
import { messageOf } from '../base/errors.ts';
import { rpcErrors } from '../protocol/agent.ts';
import type { DeleteFile, WriteTextFile } from './agentMessages.ts';
import { denialError, deniedByPolicy, deniedBySandbox, type Denial } from './denial.ts';
import { fileDiff } from './fileDiff.ts';
import { placeOf, type Place } from './place.ts';
import type { Programs } from './session.ts';
import type { Turn } from './turn.ts';
import type { WriteAccess, WriteRequest } from './writeAccess.ts';

interface Options {
  readonly folders: readonly string[];
  readonly sandbox: Sandbox;
  readonly programs: Programs;
  readonly access: WriteAccess;
}

/**
 * Changes files for the agent: asks where writing was not granted, lets the file writer do it in its own sandbox, and
 * shows what was really changed. Rejects with the protocol's `denied`, `conflict` or `tooLarge` error; then nothing was.
 */
export class FileChanges {
  constructor(private readonly options: Options) {}

  async write({ path, content, _meta }: WriteTextFile, turn: Turn, signal: AbortSignal): Promise<void> {
    const { toolCallId, expectedSha256 } = _meta.cordon;
    const operation = expectedSha256 === null ? 'create' : 'edit';
    if (Buffer.byteLength(content) > maxFile)
      throw new RequestError(rpcErrors.tooLarge, tooLarge(path), undefined);
    await this.#change(
      operation,
      toolCallId,
      { operation: 'write', path, content, expectedSha256 },
      turn,
      signal,
    );
  }

  async delete(
    { path, toolCallId, expectedSha256 }: DeleteFile,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#change('delete', toolCallId, { operation: 'delete', path, expectedSha256 }, turn, signal);
  }

  async #change(
    operation: WriteRequest['operation'],
    toolCallId: string,
    change: FileChange,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<void> {
    const refuse = (denial: Denial) => {
      const { by, reason } = denial;
      turn.calls.change(toolCallId, {
        state: turn.signal.aborted ? { kind: 'cancelled' } : { kind: 'denied', by, reason },
      });
      return denialError(denial);
    };
    const item = turn.calls.change(toolCallId, { tool: operation === 'delete' ? 'delete' : 'edit' });
    const place = await placeOf(this.options.folders, change.path);
    if (place === undefined) throw refuse(deniedBySandbox(outside(change.path)));
    const denial = await this.#permit({ place, operation, itemId: item.id }, signal);
    if (denial) throw refuse(denial);
    signal.throwIfAborted();
    turn.calls.change(toolCallId, { state: { kind: 'running', since: Date.now() } });
    await this.#carryOut(place, toolCallId, change, turn, signal, refuse);
  }

  async #carryOut(
    place: Place,
    toolCallId: string,
    change: FileChange,
    turn: Turn,
    signal: AbortSignal,
    refuse: (denial: Denial) => Error,
  ): Promise<void> {
    const { sandbox, programs } = this.options;
    const result = await changeFile(
      sandbox,
      programs,
      { ...change, path: place.path, roots: [place.folder] },
      signal,
    ).catch((error: unknown) => {
      throw refuse(deniedBySandbox(`${place.path} was not changed. ${messageOf(error)}`));
    });
    if (!result.ok) {
      if (result.code === 'conflict') throw new RequestError(rpcErrors.conflict, result.message, undefined);
      throw refuse(deniedBySandbox(result.message));
    }
    const before = change.expectedSha256 === null ? null : result.oldContent;
    const diffs =
      before === undefined
        ? []
        : [fileDiff(place.path, before, change.operation === 'write' ? change.content : null)];
    const { diffs: earlier } = turn.calls.open(toolCallId);
    turn.calls.change(toolCallId, { diffs: [...earlier, ...diffs], locations: [{ path: place.path }] });
  }

  async #permit(request: WriteRequest, signal: AbortSignal): Promise<Denial | undefined> {
    const { place } = request;
    const secret = place.relative.find(relative => isSecretFile(path.posix.basename(relative)));
    if (secret !== undefined)
      return deniedByPolicy(
        `${secret} was not touched: files of this name hold secrets, and the agent has no part in them.`,
      );
    for (const relative of place.relative) {
      const because = protectionOf(relative);
      if (because !== undefined) return await this.options.access.confirmProtected(request, because, signal);
    }
    return await this.options.access.ensure(request, signal);
  }
}

/** Bytes of one file that is written. */
const maxFile = 8_000_000;

function tooLarge(file: string): string {
  return `${file} was not written: more than ${maxFile / 1_000_000} MB at once.`;
}

function outside(file: string): string {
  return `${file} was not touched: it is not in a workspace folder, or a link leads out of it.`;
}
