import { literal } from '../../shell/field.ts';
import { notOnlyReading } from '../notOnlyReading.ts';
import type { ToolTable } from '../table.ts';
import { inRepository } from './reading.ts';

/** What git says of its settings and of itself. */
export const configurationTools: readonly ToolTable[] = [
  {
    name: 'git config',
    reason: 'Prints one setting that holds no secret; setting it is left out.',
    flags: '--get --get-all --global --local --system --includes --show-origin --show-scope --bool --int -z',
    operands: 'text',
    refine: (parsed, command, context) => {
      const words = parsed.operands.map(({ field }) => literal(field));
      const names = words[0] === 'get' ? words.slice(1) : words;
      const plain =
        names.length === 1 &&
        /^(?:user|core|init|branch|pull|push|merge|diff|color|rebase|fetch|commit|remote)\.[\w.\-/]+$/i.test(
          names[0] ?? '',
        ) &&
        !/token|password|secret|header|credential/i.test(names[0] ?? '');
      return [
        ...inRepository(command, context),
        ...(plain ? [] : [notOnlyReading(command.span, 'git config')]),
      ];
    },
    allows: [
      'git config user.name',
      'git config --get user.email',
      'git config --get remote.origin.url',
      'git config --global user.name',
      'git config get user.name',
    ],
    asks: [
      'git config user.name x',
      'git config --global core.pager sh',
      'git config --list',
      'git config -l',
      'git config --edit',
      'git config --unset user.name',
      'git config http.extraheader',
      'git config --file /etc/x user.name',
      'git config set user.name x',
      'git config -f .env user.name',
      'git config credential.helper',
    ],
  },
  {
    name: 'git version',
    aliases: ['git --version'],
    reason: 'Prints its version.',
    flags: '--build-options',
    allows: ['git version', 'git --version'],
    asks: ['git version x'],
  },
];
