import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import path from 'node:path';
import * as z from 'zod';
import { messageOf } from '../base/errors.ts';
import { parseDomain, type DomainGrant } from '../egress/grant.ts';
import type { ModelSettings } from '../protocol/model.ts';

/** What `cordon run` was asked to do. */
export interface RunArguments {
  readonly kind: 'right';
  readonly task: string;
  /** Absolute. */
  readonly folders: readonly string[];
  /** Of them, those that were named; none when it is the caller's own folder. */
  readonly named: readonly string[];
  /** A conversation to begin under this name, or to go on with. */
  readonly session: string | undefined;
  readonly provider: 'anthropic' | 'openai' | 'demo';
  /** Undefined: the newest that the endpoint offers. */
  readonly model: string | undefined;
  readonly baseUrl: string | undefined;
  /** What runs without being asked: nothing, what is allowed, or whatever stays inside the sandbox. */
  readonly approve: 'never' | 'allowlist' | 'contained';
  /** Whether the changes are taken over into the real files in the end. */
  readonly apply: boolean;
  readonly json: boolean;
  /** Hosts that commands may reach. Empty: none. */
  readonly allowDomains: readonly DomainGrant[];
}

/** Reads the words after `cordon run`. Looks at the disk only to see that the folders are there. */
export function readRunArguments(argv: readonly string[]): RunArguments | { kind: 'wrong'; message: string } {
  let values: z.infer<typeof Options>;
  let task: string;
  let allowDomains: DomainGrant[];
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    values = Options.parse(parsed.values);
    task = parsed.positionals.join(' ').trim();
    allowDomains = (values['allow-domain'] ?? []).map(each => parseDomain(each));
  } catch (error) {
    if (error instanceof z.ZodError) {
      const [issue] = error.issues;
      return wrong(`--${issue?.path.join('.')}: ${issue?.message}.`);
    }
    return wrong(messageOf(error));
  }
  if (task === '') return wrong('No task was given.');
  const folders = (values.workspace ?? ['.']).map(folder => path.resolve(folder));
  const missing = folders.find(folder => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) return wrong(`${missing} is not a folder.`);
  const { session, provider, model, approve, apply, json } = values;
  return {
    kind: 'right',
    task,
    folders,
    named: values.workspace === undefined ? [] : folders,
    session,
    provider,
    model,
    baseUrl: values['base-url'],
    approve,
    apply,
    json,
    allowDomains,
  };
}

/** The settings once the model is known. */
export function modelSettings(
  { provider, baseUrl }: Pick<RunArguments, 'provider' | 'baseUrl'>,
  model: string,
): ModelSettings & { provider: RunArguments['provider'] } {
  return { provider, model, ...(baseUrl === undefined ? {} : { baseUrl }) };
}

const options = {
  workspace: { type: 'string', multiple: true },
  session: { type: 'string' },
  provider: { type: 'string' },
  model: { type: 'string' },
  'base-url': { type: 'string' },
  approve: { type: 'string' },
  apply: { type: 'boolean' },
  'allow-domain': { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

const Options = z.object({
  workspace: z.array(z.string().min(1, 'must name a folder')).optional(),
  session: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'must be letters, digits, dots, dashes and underscores, at most 64',
    )
    .optional(),
  provider: oneOf(['anthropic', 'openai', 'demo']).default('anthropic'),
  model: z.string().min(1, 'must name a model').max(200).optional(),
  'base-url': z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
  approve: oneOf(['never', 'allowlist', 'contained']).default('allowlist'),
  apply: z.boolean().default(false),
  'allow-domain': z.array(z.string()).optional(),
  json: z.boolean().default(false),
});

function wrong(message: string) {
  return { kind: 'wrong', message } as const;
}
