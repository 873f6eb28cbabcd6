import { CordonError } from '../base/errors.ts';

/** Whether an error of the file system's or of ours has one of these codes. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  const code: unknown =
    error instanceof CordonError
      ? error.code
      : error instanceof Error
        ? Reflect.get(error, 'code')
        : undefined;
  return typeof code === 'string' && codes.includes(code);
}
