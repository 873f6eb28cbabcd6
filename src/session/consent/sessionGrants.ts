import type { CommandApproval } from './commandApproval.ts';
import type { Cures } from './cures.ts';
import type { WriteAccess } from './writeAccess.ts';

/** Something the user allowed until the session ends. Times in milliseconds since the epoch. */
export interface SessionGrant {
  readonly id: string;
  /** `command`: this very line; `writable`: a workspace folder; `file`: a hidden file that commands see. */
  readonly kind: 'command' | 'writable' | 'file';
  /** The command line, or the path. */
  readonly name: string;
  /** For one more run of this command line. Absent: until the session ends. */
  readonly onceFor?: string;
  readonly createdAt: number;
  /** Null and 0 where uses are not counted. */
  readonly lastUsedAt: number | null;
  readonly uses: number;
}

/** The permissions that one session keeps in memory, in one list. Nothing here outlives it. */
export class SessionGrants {
  constructor(
    private readonly approval: CommandApproval,
    private readonly access: WriteAccess,
    private readonly cures: Cures,
    /** Something was taken back: what runs on it is to end. */
    private readonly onRevoked: () => void,
  ) {}

  list(): SessionGrant[] {
    const uncounted = { lastUsedAt: null, uses: 0 };
    return [
      ...this.approval.forSession().map(({ command, cwd, ...counts }): SessionGrant => ({
        id: JSON.stringify(['command', command, cwd]),
        kind: 'command',
        name: command,
        ...counts,
      })),
      ...[...this.access.forSession()].map(([folder, createdAt]): SessionGrant => ({
        id: JSON.stringify(['writable', folder]),
        kind: 'writable',
        name: folder,
        createdAt,
        ...uncounted,
      })),
      ...this.cures.shown.list().map(({ path, createdAt, command }): SessionGrant => ({
        id: JSON.stringify(['file', path, command ?? null, createdAt]),
        kind: 'file',
        name: path,
        createdAt,
        ...(command === undefined ? {} : { onceFor: command }),
        ...uncounted,
      })),
    ];
  }

  /** Takes one back by its id; ids of other sessions do nothing. */
  revoke(id: string): void {
    const grant = this.list().find(each => each.id === id);
    if (grant === undefined) return;
    const [, name = '', cwd = ''] = JSON.parse(id) as string[];
    switch (grant.kind) {
      case 'command':
        this.approval.revoke({ command: name, cwd });
        break;
      case 'writable':
        this.access.revoke(name);
        break;
      case 'file':
        this.cures.shown.hide(name);
        break;
    }
    this.onRevoked();
  }
}
