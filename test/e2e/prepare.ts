import { globSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { installCodeServer } from '../workbench/codeServer.mjs';
import { packageExtension } from '../workbench/extension.mjs';
import { cache } from '../workbench/paths.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packaged extension under test, and the workbench that it is installed into. */
    workbench: { extension: { file: string; fingerprint: string }; codeServer: string };
  }
}

/** Once before all stories: the extension as users get it, and code-server. */
export default async function prepare(project: TestProject): Promise<void> {
  for (const old of globSync(path.join(cache, 'screenshots/failed-*.png'))) rmSync(old);
  const extension = await packageExtension(process.execPath);
  project.provide('workbench', { extension, codeServer: await installCodeServer() });
}
