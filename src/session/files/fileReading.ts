import path from 'node:path';
import { RequestError } from '@agentclientprotocol/sdk';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import { rpcErrors } from '../../protocol/agent.ts';
import type { ReadTextFile } from '../agent/agentMessages.ts';
import type { FileText } from '../agent/agentProcess.ts';
import { denialError, deniedByPolicy, type Denial } from '../consent/denial.ts';
import type { FolderAccess } from '../consent/folderAccess.ts';
import { readOutside } from './outsideFile.ts';
import { placeOf, type Place } from './place.ts';
import type { Turn } from '../turn.ts';
import type { UnsavedText } from './unsavedText.ts';

interface Options {
  readonly folders: readonly string[];
  readonly access: FolderAccess;
  readonly unsaved: UnsavedText | undefined;
}

/**
 * Reads for the agent what it does not see by itself: text in the editor that is not saved, and, asked for, what lies
 * outside of the workspace. Rejects with the protocol's `denied` error, or with why it was not read.
 */
export class FileReading {
  constructor(private readonly options: Options) {}

  async read(request: ReadTextFile, turn: Turn, signal: AbortSignal): Promise<FileText> {
    const place = await placeOf(this.options.folders, request.path);
    const { content, from } =
      place === undefined ? await this.#outside(request, turn, signal) : this.#unsaved(place);
    return { content: linesOf(content, request), from };
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
    const read = readOutside(found.real);
    if ('problem' in read) throw new RequestError(rpcErrors.unreadable, `${file} ${read.problem}.`);
    return { content: read.text, from: 'outside' };
  }
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
