import * as z from 'zod';
import type { Limits } from './limits.ts';

/**
 * Limits as the user set them; what is not set is left to the defaults. `read` gives the value of a setting below
 * `cordon.limits.`, unchecked: one that does not fit counts as not set.
 */
export function limitsFrom(read: (name: string) => unknown): Partial<Limits> {
  const count = (name: string, least: number) => z.int().min(least).safeParse(read(name)).data;
  const bytes = (name: string) => {
    const megabytes = count(name, 1);
    return megabytes === undefined ? undefined : megabytes * 2 ** 20;
  };
  const chosen: { readonly [Name in keyof Limits]: number | undefined } = {
    processes: count('processes', 16),
    openFiles: count('openFiles', 64),
    memory: bytes('memory'),
    output: bytes('output'),
    fileSize: bytes('fileSize'),
    diskSpace: bytes('diskSpace'),
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}
