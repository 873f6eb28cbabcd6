import { CordonError } from '../src/base/errors.ts';

// Everything the sandbox may have to say when it cannot do its work. Nothing ran in any of these cases.

export const sandboxErrors = {
  unsupported: (platform: string) =>
    new CordonError(
      'sandbox.unsupported',
      `Cordon has no sandbox for ${platform} yet, so no command can run.`,
      'Use Linux, or a Linux remote (Remote - SSH, WSL 2).',
    ),

  missing: () =>
    new CordonError(
      'sandbox.missing',
      'Bubblewrap (bwrap) is not installed, so no command can run.',
      'Install it: sudo apt-get install bubblewrap (Debian, Ubuntu), sudo dnf install bubblewrap (Fedora), ' +
        'sudo pacman -S bubblewrap (Arch), sudo zypper install bubblewrap (openSUSE), sudo apk add bubblewrap (Alpine).',
    ),

  podmanElsewhere: () =>
    new CordonError(
      'sandbox.podmanElsewhere',
      'Podman puts up walls on Linux only; elsewhere its containers are in a virtual machine, so no command can run.',
      'Set "cordon.sandbox.backend" to "bubblewrap", which stands for the system’s own walls.',
    ),

  /** The walls may be another program's then; the view is Bubblewrap's. */
  noView: (platform: NodeJS.Platform) =>
    platform === 'darwin'
      ? new CordonError('overlay.unavailable', 'On macOS there is no copy-on-write view.')
      : new CordonError(
          'overlay.unavailable',
          'Bubblewrap (bwrap), which puts up the copy-on-write view, is not installed.',
          'Install the bubblewrap package of your system.',
        ),

  tooOld: (version: string, wanted: string) =>
    new CordonError(
      'sandbox.tooOld',
      `Bubblewrap ${version} is too old: Cordon needs ${wanted} or newer.`,
      'Update the bubblewrap package of your system.',
    ),

  folderMissing: (folder: string) =>
    new CordonError(
      'sandbox.folderMissing',
      `The workspace folder ${folder} does not exist or is not a folder.`,
      'Open a folder that exists.',
    ),

  folderTooWide: (folder: string, holds: string) =>
    new CordonError(
      'sandbox.folderTooWide',
      `The folder ${folder} cannot be a workspace: it holds ${holds}.`,
      'Open the project folder itself.',
    ),

  moved: (path: string) =>
    new CordonError(
      'sandbox.moved',
      `${path} was there when the session began, and is gone now or lies behind a link, so nothing ran.`,
      'Put it back, or start a new conversation.',
    ),

  viewGone: (folder: string) =>
    new CordonError(
      'sandbox.viewGone',
      `The copy-on-write view of ${folder} is gone, so nothing ran.`,
      'Open the conversation anew: what it changed is kept.',
    ),

  credentialPath: (path: string, credential: string) =>
    new CordonError(
      'sandbox.credentialPath',
      `${path} cannot be made visible: it is, holds or lies in ${credential}, where credentials are kept.`,
      'Name a folder without credentials.',
    ),

  pathMissing: (path: string) =>
    new CordonError(
      'sandbox.pathMissing',
      `The path ${path}, listed to be readable in the sandbox, does not exist.`,
      'Correct it in the setting "cordon.sandbox.readOnlyPaths".',
    ),

  notAFolder: (folder: string) =>
    new CordonError(
      'sandbox.notAFolder',
      `${folder} is not a folder of this workspace, so it cannot become writable.`,
    ),

  notGrantable: (path: string, why: string) =>
    new CordonError('sandbox.notGrantable', `${path} cannot be opened to the agent: ${why}.`),

  workingDirectory: (cwd: string) =>
    new CordonError(
      'sandbox.workingDirectory',
      `The working directory ${cwd} is not visible in the sandbox.`,
      'Start in a folder of the workspace.',
    ),

  invalidText: (what: string) =>
    new CordonError(
      'sandbox.invalidText',
      `${what} contains a null character, which no program can be given.`,
    ),

  folderAsStream: () =>
    new CordonError(
      'sandbox.folderAsStream',
      'A standard stream of this command is a folder, through which it could reach all that lies around it.',
      'Redirect it from a file, or from /dev/null.',
    ),

  programMissing: (program: string) =>
    new CordonError('sandbox.programMissing', `The program ${program} does not exist or is not a file.`),

  tooManySecrets: (count: number, folder: string) =>
    new CordonError(
      'sandbox.tooManySecrets',
      `${folder} holds ${count} files that look like secrets, more than can be hidden one by one.`,
      'Open a smaller folder.',
    ),

  didNotStart: (said: string, cause?: unknown) =>
    new CordonError(
      'sandbox.didNotStart',
      `The sandbox did not start, so nothing ran${said ? `: ${said}` : '.'}`,
      'Run "cordon doctor" to see what is wrong and how to mend it.',
      { cause },
    ),

  noNetwork: (why: string, cause?: unknown) =>
    new CordonError(
      'sandbox.noNetwork',
      `The way to the allowed domains could not be opened, so nothing ran: ${why}.`,
      'Run "cordon doctor" to see what is wrong; without allowed domains commands still run.',
      { cause },
    ),

  noWay: (path: string, owner: string) =>
    new CordonError(
      'sandbox.noWay',
      `${path} lies in a folder that ${owner}, who owns the workspace and as whom commands run, may not enter, so nothing ran.`,
      `Let ${owner} enter the folders around it, or run Cordon as ${owner}.`,
    ),

  noWays: (cause: unknown) =>
    new CordonError(
      'sandbox.noWays',
      `The workspace belongs to another user, and what its commands need could not be shown to that user, so nothing ran: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Run Cordon as the user who owns the workspace.',
      { cause },
    ),

  unnameable: (path: string) =>
    new CordonError(
      'sandbox.unnameable',
      `The path ${JSON.stringify(path)} cannot be shown in a container: its name holds a carriage return.`,
      'Rename it, or set "cordon.sandbox.backend" to "bubblewrap".',
    ),

  closed: () => new CordonError('sandbox.closed', 'This sandbox is closed; nothing more can run in it.'),
};
