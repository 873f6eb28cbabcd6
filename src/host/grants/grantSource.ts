import type { Emitter } from '../../base/emitter.ts';

/** One thing the user said yes or never to. Times in milliseconds since the epoch; null where it is not known. */
export interface Grant {
  /** Of its source. */
  readonly id: string;
  /** What it is about: a folder, a command, a host. */
  readonly label: string;
  /** What it allows, in a few words: `read`, `in this workspace`. */
  readonly what: string;
  readonly answer: 'once' | 'session' | 'today' | 'always' | 'never';
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
  /** Undefined where uses are not counted. */
  readonly uses: number | undefined;
  readonly expiresAt: number | null;
}

/** Where grants of one kind are kept. */
export interface GrantSource {
  readonly kind: 'folder' | 'writable' | 'command' | 'file' | 'domain';
  /** As the heading of a list. */
  readonly title: string;
  /** In force now. Throws what the store says when it cannot be read. */
  list(): Grant[];
  /** Takes it back, or lifts a "never"; what runs on it ends at once. Does nothing when it is gone already. */
  revoke(id: string): Promise<void>;
  /** Something came, went or was used. */
  readonly changed?: Emitter<void>;
}
