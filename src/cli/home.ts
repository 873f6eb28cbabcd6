import { clearPrivateHome, privateHomes, privateHomeSize } from '../../sandbox/privateHome.ts';
import { readChangeArguments } from './changeArguments.ts';
import { visibleName } from './changeReport.ts';
import { canAsk, confirm } from './confirm.ts';
import { sizeWords } from '../base/sizeWords.ts';
import { workspaceDirectory } from './stateDirectory.ts';

/**
 * `cordon home show [--workspace DIR]… [--json]` and `cordon home clear [--workspace DIR]… [--yes] [--json]`: the private
 * HOME that the commands of a workspace keep between sessions. Exit status 1 when nothing was cleared, 2 for wrong usage.
 */
export async function homeCommand(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (word !== 'show' && word !== 'clear') {
    process.stderr.write('cordon home: say "show" or "clear".\n');
    return 2;
  }
  const wanted = readChangeArguments(rest);
  if (wanted.kind === 'wrong' || wanted.words.length > 0 || wanted.session !== undefined) {
    const why = wanted.kind === 'wrong' ? wanted.message : 'it takes no paths and no session.';
    process.stderr.write(`cordon home: ${why}\n`);
    return 2;
  }
  const state = workspaceDirectory(wanted.folders);
  const homes = privateHomes(state);
  const bytes = await privateHomeSize(state);
  if (word === 'show') {
    if (wanted.json) process.stdout.write(`${JSON.stringify({ homes, bytes: bytes ?? null })}\n`);
    else for (const home of homes) process.stdout.write(`${visibleName(home)}  (${sizeWords(bytes)})\n`);
    return 0;
  }
  if (!wanted.yes) {
    if (!canAsk()) {
      process.stderr.write(
        'cordon home: without a terminal to ask on, --yes is needed. Nothing was deleted.\n',
      );
      return 2;
    }
    const question = `Delete what commands keep in their private home folder (${sizeWords(bytes)})?`;
    if (!(await confirm(question))) return 1;
  }
  await clearPrivateHome(state);
  if (wanted.json) process.stdout.write(`${JSON.stringify({ cleared: homes, bytes: bytes ?? null })}\n`);
  else process.stdout.write(`Cleared: ${sizeWords(bytes)}.\n`);
  return 0;
}
