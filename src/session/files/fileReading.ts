import path from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import { rpcErrors } from '../../protocol/agent.ts';
import type { ReadTextFile } from '../agent/agentMessages.ts';
import type { FileText } from '../agent/agentProcess.ts';
import { denialError, deniedByPolicy, type Denial } from '../consent/denial.ts';
import type { FolderAccess } from '../consent/folderAccess.ts';
import type { HiddenFiles } from '../consent/hiddenFiles.ts';
import { readOutside } from './outsideFile.ts';
import { placeOf, type Place } from './place.ts';
import type { Turn } from '../turn.ts';
import type { UnsavedText } from './unsavedText.ts';

interface Options {
  readonly folders: readonly string[];
  readonly access: FolderAccess;
  readonly hidden: HiddenFiles;
  readonly unsaved: UnsavedText | undefined;
}

/**
 * Reads for the agent what it does not see by itself: text in the editor that is not saved, and, asked for, hidden files
 * of the workspace and what lies outside of it. Rejects with the protocol's `denied` error, or with why it was not read.
 */
export class FileReading {
  constructor(private readonly options: Options) {}

  async read(request: ReadTextFile, turn: Turn, signal: AbortSignal): Promise<FileText> {
    const place = await placeOf(this.options.folders, request.path);
    const { content, from } =
      place === undefined
        ? await this.#outside(request, turn, signal)
        : ((await this.#hidden(request, place, turn, signal)) ?? this.#unsaved(place));
    return { content: linesOf(content, request), from };
  }

  /** Undefined for a file that is not hidden. */
  async #hidden(
    { path: file, toolCallId }: ReadTextFile,
    place: Place,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<FileText | undefined> {
    const { hidden } = this.options;
    const real = await hidden.find(place);
    if (real === undefined) return undefined;
    const { id: itemId } = turn.calls.change(toolCallId, {});
    const denial = await hidden.ensure(real, itemId, signal);
    if (denial !== undefined) {
      turn.calls.deny(toolCallId, denial, `${file} was not read.`, signal);
      throw denialError(denial);
    }
    signal.throwIfAborted();
    turn.calls.change(toolCallId, { state: { kind: 'running', since: Date.now() } });
    return { content: textOf(real, file), from: 'hidden' };
  }

  #unsaved(place: Place): FileText {
    const isSecret = place.relative.some(each => isSecretFile(path.posix.basename(each)));
    const content = isSecret ? undefined : this.options.unsaved?.textOf(place.path);
    return content === undefined ? { content: '', from: 'disk' } : { content, from: 'editor' };
  }

  async #outside(
    { path: file, toolCallId }: ReadTextFile,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<FileText> {
    const { id: itemId } = turn.calls.change(toolCallId, {});
    const refuse = (denial: Denial) => {
      turn.calls.deny(toolCallId, denial, `${file} was not read.`, signal);
      return denialError(denial);
    };
    if (file.includes('\0')) throw refuse(deniedByPolicy('The path holds a null byte.'));
    const found = await this.options.access.ensure({ path: file, access: 'read', itemId }, signal);
    if ('by' in found) throw refuse(found);
    signal.throwIfAborted();
    turn.calls.change(toolCallId, { state: { kind: 'running', since: Date.now() } });
    return { content: textOf(found.real, file), from: 'outside' };
  }
}

function textOf(real: string, named: string): string {
  const read = readOutside(real);
  if ('problem' in read) throw new RequestError(rpcErrors.unreadable, `${named} ${read.problem}.`);
  return read.text;
}

function linesOf(text: string, { line, limit }: Pick<ReadTextFile, 'line' | 'limit'>): string {
  const from = (line ?? 1) - 1;
  const count = limit ?? Infinity;
  return from === 0 && count === Infinity
    ? text
    : text
        .split('\n')
        .slice(from, from + count)
        .join('\n');
}
