import * as vscode from 'vscode';
import type { FileSides } from '../../session/changes/changesEngine.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import { sideOf, type ChangeSide } from './changeUri.ts';

interface Options {
  readonly copyOf: (conversationId: string) => Promise<WorkingCopy | undefined>;
  /** The version of a change that waits, as last looked at. */
  readonly versionOf: (side: ChangeSide) => string | undefined;
}

interface Held {
  readonly uri: vscode.Uri;
  readonly content: Uint8Array;
  /** Of the change when it was read: while it is the same, there is nothing to read anew. */
  readonly version: string | undefined;
  /** Rises whenever the content is another: editors go by it. */
  readonly mtime: number;
}

/**
 * What is in the agent's copy as read-only documents, so that the editor's own views (text, images, whatever else) can
 * show it beside the user's file. Nothing is read before an editor asks.
 */
export class AgentFiles implements vscode.FileSystemProvider {
  readonly #held = new Map<string, Held>();
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changed.event;

  constructor(private readonly options: Options) {}

  /** Reads anew what editors have open, and tells them what is different. */
  async refresh(): Promise<void> {
    const open = new Set(
      vscode.workspace.textDocuments.flatMap(({ uri }) => (sideOf(uri) ? [uri.toString()] : [])),
    );
    const events: vscode.FileChangeEvent[] = [];
    for (const [key, held] of this.#held) {
      // Images and the like are no text documents; they are read again when they are shown again.
      const side = sideOf(held.uri);
      if (!side || !open.has(key)) this.#held.delete(key);
      else if (
        this.options.versionOf(side) !== held.version &&
        (await this.#read(held.uri)).mtime !== held.mtime
      )
        events.push({ type: vscode.FileChangeType.Changed, uri: held.uri });
    }
    if (events.length > 0) this.#changed.fire(events);
  }

  /** Whether an editor that shows this document was last given this content. */
  isShown(uri: vscode.Uri, content: Uint8Array | null): boolean {
    const held = this.#held.get(uri.toString());
    return held === undefined || Buffer.compare(held.content, content ?? nothing) === 0;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { content, mtime } = await this.#read(uri);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime,
      size: content.length,
      permissions: vscode.FilePermission.Readonly,
    };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return (await this.#read(uri)).content;
  }

  async #read(uri: vscode.Uri): Promise<Held> {
    const side = sideOf(uri);
    if (!side) throw vscode.FileSystemError.FileNotFound(uri);
    const key = uri.toString();
    const version = this.options.versionOf(side);
    const content = await this.#contentOf(side);
    const known = this.#held.get(key);
    const isSame = known !== undefined && Buffer.compare(known.content, content) === 0;
    const mtime = isSame ? known.mtime : Math.max(Date.now(), (known?.mtime ?? 0) + 1);
    const held = { uri, content, version, mtime };
    this.#held.set(key, held);
    return held;
  }

  async #contentOf(side: ChangeSide): Promise<Uint8Array> {
    const copy = await this.options.copyOf(side.conversationId);
    const sides = await copy?.changes.sides(side);
    return (sides && contentOf(sides, side.side)) ?? nothing;
  }

  watch(): vscode.Disposable {
    return { dispose: () => undefined };
  }

  readDirectory(): never {
    throw vscode.FileSystemError.NoPermissions('Only files that the agent changed can be read here.');
  }

  createDirectory(uri: vscode.Uri): never {
    throw readOnly(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw readOnly(uri);
  }

  delete(uri: vscode.Uri): never {
    throw readOnly(uri);
  }

  rename(uri: vscode.Uri): never {
    throw readOnly(uri);
  }
}

const nothing = new Uint8Array();

function contentOf(sides: FileSides, side: ChangeSide['side']): Uint8Array | null {
  switch (side) {
    case 'agent':
      return sides.after;
    case 'base':
      return sides.base ?? sides.before;
    case 'user':
      return sides.before;
    case 'nothing':
    case 'line':
      return null;
  }
}

function readOnly(uri: vscode.Uri): vscode.FileSystemError {
  return vscode.FileSystemError.NoPermissions(uri);
}
