import { readFileSync } from 'node:fs';
import { parse, type ParseError } from 'jsonc-parser';
import * as z from 'zod';
import { CordonError } from '../base/errors.ts';

/** VS Code's settings files are JSON with comments and trailing commas. Throws CordonError `settings.unreadable`. */
export function settingsIn(file: string): Readonly<Record<string, unknown>> {
  const errors: ParseError[] = [];
  const settings = z
    .looseObject({})
    .safeParse(
      parse(readFileSync(file, 'utf8'), errors, { allowTrailingComma: true, allowEmptyContent: true }) ?? {},
    );
  if (errors.length === 0 && settings.success) return settings.data;
  throw new CordonError(
    'settings.unreadable',
    `${file} could not be read as JSON.`,
    'Mend it, or move it away.',
  );
}
