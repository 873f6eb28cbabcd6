import { CordonError } from '../src/base/errors.ts';
import { FileChangeResult, mostOldContent, type FileChangeRequest } from './fileChange.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * Changes one file through the file writer, in a sandbox where only `request.roots` are writable: each one of the
 * sandbox's folders, or, `isOutside`, what the user granted besides. The caller has decided: a protected or secret path is lifted for this one
 * process. A conflict or refusal is a result; rejects with a CordonError only when nothing could be tried, or when
 * `signal` ended it. In the last case the file is as it was, or wholly changed.
 */
export async function changeFile(
  sandbox: Sandbox,
  programs: { readonly node: string; readonly fileWriter: string },
  { isOutside = false, ...request }: FileChangeRequest & { readonly isOutside?: boolean },
  signal: AbortSignal,
): Promise<FileChangeResult> {
  signal.throwIfAborted();
  const started = await sandbox.launch({
    argv: [programs.node, writerInside],
    cwd: request.roots[0] ?? '/',
    view: 'bare',
    ...(isOutside
      ? {
          writableFolders: [],
          grantedFolders: request.roots.map(root => ({ path: root, access: 'write' as const })),
        }
      : { writableFolders: request.roots }),
    allowedPaths: [request.path],
    binds: [{ source: programs.fileWriter, target: writerInside }],
    stdin: 'pipe',
    timeout: 60_000,
  });
  const stop = () => void started.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    started.stdin?.end(JSON.stringify(request));
    const [output, complaint, exit] = await Promise.all([
      text(started.stdout),
      text(started.stderr),
      started.exited,
    ]);
    signal.throwIfAborted();
    return parse(output, exit.limit ?? complaint);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const writerInside = '/run/cordon/file-writer.cjs';

function parse(output: string, complaint: string): FileChangeResult {
  try {
    return FileChangeResult.parse(JSON.parse(output));
  } catch (cause) {
    throw new CordonError(
      'sandbox.fileWriterFailed',
      `The file could not be changed: ${complaint.trim().slice(0, 500) || 'the file writer gave no answer.'}`,
      'Try again; the file is as it was, or wholly changed.',
      { cause },
    );
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream ?? []) {
    size += chunk.length;
    // JSON may write one byte as six; more than that is no answer of ours.
    if (size <= 8 * mostOldContent) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
