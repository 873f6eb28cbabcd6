import { realpathSync } from 'node:fs';
import { normalize } from 'node:path';
import type { SandboxFacts } from './facts.ts';
import { hasFolderForStream } from './inheritedDescriptors.ts';
import { isInside } from './inside.ts';
import type { LaunchRequest } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { homeInside } from './stateFiles.ts';

/** Throws a `sandbox.*` CordonError when a launch asks for what no sandbox of this session can give. */
export function checkRequest(request: LaunchRequest, facts: Pick<SandboxFacts, 'folders'>): void {
  for (const text of [...request.argv, request.cwd, ...Object.entries(request.environment ?? {}).flat()])
    if (text.includes('\0')) throw sandboxErrors.invalidText('The command');
  if ((request.stdin === 'inherit' || request.output === 'inherit') && hasFolderForStream())
    throw sandboxErrors.folderAsStream();
  for (const folder of request.writableFolders)
    if (!facts.folders.some(({ path, realPath }) => folder === path || folder === realPath))
      throw sandboxErrors.notAFolder(folder);
  const cwd = normalize(request.cwd);
  const places = [
    ...facts.folders.flatMap(({ path, realPath }) => [path, realPath]),
    ...(request.grantedFolders ?? []).flatMap(({ path, access }) => (access === 'none' ? [] : [path])),
    '/usr',
    '/tmp',
    homeInside,
  ];
  if (cwd !== '/' && !places.some(place => isInside(cwd, place) || isInside(real(cwd), place)))
    throw sandboxErrors.workingDirectory(request.cwd);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
