import { messageOf } from '../base/errors.ts';
import { parseDomain, type DomainGrant } from '../egress/grant.ts';

/** What `cordon sandbox` was asked for. */
export type SandboxArguments = {
  readonly kind: 'right';
  /** As typed. Empty: the current folder. */
  readonly workspaces: readonly string[];
  readonly allowWrite: readonly string[];
  /** Empty: no network at all. */
  readonly allowDomains: readonly DomainGrant[];
  readonly view: 'overlay' | 'direct' | 'readOnly';
  /** What puts up the walls; the user's settings say it otherwise. */
  readonly backend?: 'bubblewrap' | 'podman';
  /** Name of a session to create or take up again. */
  readonly session?: string;
  readonly command: readonly [string, ...string[]];
};

export type WrongUsage = { readonly kind: 'wrong'; readonly message: string };

/** Reads the words after `sandbox`. Pure. Options end at `--`; nothing is guessed. */
export function parseSandboxArguments(argv: readonly string[]): SandboxArguments | WrongUsage {
  const end = argv.indexOf('--');
  const [program, ...args] = end < 0 ? [] : argv.slice(end + 1);
  if (program === undefined || program === '') return wrong(`no command after "--".\n${usage}`);
  const workspaces: string[] = [];
  const allowWrite: string[] = [];
  const allowDomains: DomainGrant[] = [];
  const views = new Set<SandboxArguments['view']>();
  let session: string | undefined;
  let backend: 'bubblewrap' | 'podman' | undefined;
  const words = argv.slice(0, end);
  for (let at = 0; at < words.length; at++) {
    const [option, given] = splitOption(words[at] ?? '');
    const value = () => given ?? words[(at += 1)] ?? '';
    switch (option) {
      case '--workspace':
      case '--allow-write': {
        const folder = value();
        if (folder === '') return wrong(`${option} needs a folder.\n${usage}`);
        (option === '--workspace' ? workspaces : allowWrite).push(folder);
        break;
      }
      case '--session':
        session = value();
        if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(session))
          return wrong(
            '--session needs a name of letters, digits, dots, dashes and underscores, at most 64 long.',
          );
        break;
      case '--allow-domain':
        try {
          allowDomains.push(parseDomain(value()));
        } catch (error) {
          return wrong(`--allow-domain: ${messageOf(error)}`);
        }
        break;
      case '--backend': {
        const named = value();
        if (named !== 'bubblewrap' && named !== 'podman') return wrong('--backend is bubblewrap or podman.');
        backend = named;
        break;
      }
      case '--direct':
        views.add('direct');
        break;
      case '--read-only':
        views.add('readOnly');
        break;
      default:
        return wrong(`unknown option ${JSON.stringify(option)}.\n${usage}`);
    }
  }
  if (views.size > 1) return wrong('--direct and --read-only contradict each other.');
  const [view = 'overlay'] = views;
  if (session !== undefined && view !== 'overlay')
    return wrong('--session keeps a copy-on-write view; it goes with neither --direct nor --read-only.');
  return {
    kind: 'right',
    workspaces,
    allowWrite,
    allowDomains,
    view,
    ...(session === undefined ? {} : { session }),
    ...(backend === undefined ? {} : { backend }),
    command: [program, ...args],
  };
}

const usage =
  'usage: cordon sandbox [--workspace DIR]… [--allow-write DIR]… [--allow-domain HOST[:PORT]]… ' +
  '[--session ID] [--direct|--read-only] [--backend bubblewrap|podman] -- COMMAND [ARG…]';

function splitOption(word: string): [string, string?] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}

function wrong(message: string): WrongUsage {
  return { kind: 'wrong', message };
}
