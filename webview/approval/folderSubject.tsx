import type { ApprovalRequest } from '../../src/protocol/approval.ts';
import { Visible } from './commandText.tsx';

/** A question about a folder outside of the workspace. */
export type FolderSubject = Extract<ApprovalRequest['subject'], { kind: 'folder' }>;

/** The folder that is asked for, and what of it first. */
export function FolderQuestion({ subject }: { subject: FolderSubject }) {
  const { folder, path, access } = subject;
  return (
    <>
      <pre class="command">
        <code>
          <Visible text={folder} />
        </code>
      </pre>
      <p class="where">
        {folder === path ? null : (
          <>
            first: {access}{' '}
            <Visible text={path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path} />.{' '}
          </>
        )}
        “Allow once” lasts until this turn ends, “today” until midnight or a restart.
      </p>
    </>
  );
}

export function folderQuestion({ folder, path, access }: FolderSubject): string {
  const what = folder === path ? 'file' : 'folder';
  return access === 'read' ? `Let Cordon read this ${what}?` : `Let Cordon change this ${what}?`;
}
