import type { Command } from './command.ts';

/**
 * The commands about conversations and what they keep, and what a machine can do. They share most of their code, so
 * they are one bundle: `cordon sandbox` and `cordon check`, which scripts start by the thousand, need not read it.
 */
export const sessionCommands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).runCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  review: async () => (await import('./review.ts')).reviewCommand,
  apply: async () => (await import('./apply.ts')).applyCommand,
  discard: async () => (await import('./discard.ts')).discardCommand,
  'import-commits': async () => (await import('./importCommits.ts')).importCommitsCommand,
  home: async () => (await import('./home.ts')).homeCommand,
  trash: async () => (await import('./trash.ts')).trashCommand,
};
