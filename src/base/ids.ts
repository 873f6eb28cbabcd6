import { randomBytes } from 'node:crypto';

/** A random 128-bit identifier as 32 hexadecimal digits. */
export function randomId(): string {
  return randomBytes(16).toString('hex');
}

/** A short name for logs and directories: the first 8 digits of an id. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
