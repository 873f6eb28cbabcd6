import { version } from '../../package.json';
import { messageOf } from '../base/errors.ts';
import type { Command } from './command.ts';
import { takeCredential } from './credential.ts';
import { isNodeNewEnough, runWithNewerNode } from './newerNode.ts';

// The command line. What is imported here when it is asked for is a bundle of its own: see esbuild.mjs.

async function find(word: string): Promise<Command | undefined> {
  switch (word) {
    case 'sandbox':
      return (await import('./sandbox.ts')).sandboxCommand;
    case 'check':
      return (await import('./check.ts')).checkCommand;
    default: {
      const { sessionCommands } = await import('./sessionCommands.ts');
      return Object.hasOwn(sessionCommands, word) ? await sessionCommands[word]?.() : undefined;
    }
  }
}

const help = `cordon ${version}: a coding agent that works inside walls

  cordon run [--workspace DIR] [--session ID] [--provider anthropic|openai|demo] [--model M] [--base-url URL]
             [--approve never|allowlist|contained] [--apply] [--allow-domain HOST[:PORT]]… [--json] TASK
      Runs a whole task in a copy-on-write view; --apply takes its changes over at the end. The provider's key is
      read from CORDON_API_KEY.

  cordon sandbox [--workspace DIR]… [--allow-write DIR]… [--allow-domain HOST[:PORT]]… [--session ID]
                 [--direct|--read-only] [--backend bubblewrap|podman] -- COMMAND [ARG…]
      Runs one command in the sandbox.

  cordon review|apply|discard [--workspace DIR] [--session ID] [--yes] [--json] [PATH…]
      Shows what a kept session changed; takes it over into the real files; drops it.

  cordon import-commits [--workspace DIR] [--session ID] [--json] BRANCH
      Brings the commits that a session made into a new branch.

  cordon trash list [--workspace DIR] [--json]
  cordon trash restore [--yes] [--json] ID|PATH…
      What was overwritten or deleted, and its way back.

  cordon home show|clear [--workspace DIR]… [--yes] [--json]
      The private HOME that a workspace's commands keep: caches, histories, settings of tools.

  cordon check [--json] [--workspace DIR] COMMAND
  cordon check --jsonl [--workspace DIR]
      Says whether a command line would be allowed, and why.

  cordon doctor [--json]
      Says whether the sandbox holds on this machine, and how to mend it.
`;

/** These keep what lasts in SQLite. */
const needSqlite: ReadonlySet<string> = new Set([
  'run',
  'review',
  'apply',
  'discard',
  'import-commits',
  'trash',
]);

async function main(): Promise<number> {
  // Before the credential is taken out of the environment: it is the newer one that needs it.
  if (!isNodeNewEnough && needSqlite.has(process.argv[2] ?? '')) return await runWithNewerNode();
  // First of all: nothing that is started from here on may inherit it.
  const credential = takeCredential(process.env);
  const [word = '', ...rest] = process.argv.slice(2);
  if (word === '--help' || word === '-h' || word === 'help') return print(help);
  if (word === '--version' || word === '-v') return print(`${version}\n`);
  const command = word === '' ? undefined : await find(word);
  if (command === undefined) {
    process.stderr.write(word === '' ? help : `cordon: there is no command "${word}". Try cordon --help.\n`);
    return 2;
  }
  return await command(rest, credential);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

// Whoever reads our output may stop reading; that is no defect.
process.stdout.on('error', () => process.exit(1));
main().then(
  status => {
    // Not process.exit: what was printed into a pipe may still be on its way.
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`cordon: ${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
