import * as z from 'zod';
import type { RuleProblem, RuleSettings, RuleSource, RuleVerdict } from '../policy.ts';
import { parsePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';

/** When a rule ends. Whatever cannot be told (no branch, no count) ends it. */
export type RuleExpiry =
  | { readonly kind: 'never' }
  /** To the end of that local day. */
  | { readonly kind: 'date'; readonly date: string }
  | { readonly kind: 'uses'; readonly uses: number }
  | { readonly kind: 'branch'; readonly branch: string };

/** A rule that was read and is sound. */
export interface Rule {
  readonly source: RuleSource;
  /** As it stands in settings; with `source`, its identity. */
  readonly pattern: string;
  readonly words: Pattern;
  readonly verdict: RuleVerdict;
  readonly reason: string | undefined;
  readonly expiry: RuleExpiry;
  /** Lines that the rule must and must not match; checked when the policy is loaded. */
  readonly examples: { readonly match: readonly string[]; readonly reject: readonly string[] };
}

const Verdict = z.enum(['allow', 'ask', 'deny']);

const StructuredRule = z.strictObject({
  decision: Verdict,
  reason: z.string().max(500).optional(),
  examples: z
    .strictObject({
      match: z.array(z.string()).max(50).optional(),
      reject: z.array(z.string()).max(50).optional(),
    })
    .optional(),
  expires: z
    .union([
      z.strictObject({ date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/) }),
      z.strictObject({ uses: z.number().int().positive() }),
      z.strictObject({ branch: z.string().min(1) }),
    ])
    .optional(),
});

/**
 * Reads one scope's settings. A rule that cannot be read is named and left out; where it meant to forbid and its first
 * word can be told, that command is asked about until the rule is mended, so that a slip of the pen widens nothing.
 */
export function readRules(settings: RuleSettings): { rules: Rule[]; problems: RuleProblem[] } {
  const rules: Rule[] = [];
  const problems: RuleProblem[] = [];
  const { source, value } = settings;
  if (value === undefined || value === null) return { rules, problems };
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push({
      source,
      pattern: '',
      message: 'The setting must be an object from pattern to "allow", "ask" or "deny".',
    });
    return { rules, problems };
  }
  for (const [pattern, entry] of Object.entries(value as Record<string, unknown>)) {
    const shape = typeof entry === 'string' ? { decision: entry } : entry;
    const parsed = StructuredRule.safeParse(shape);
    const words = parsePattern(pattern);
    if (!parsed.success || typeof words === 'string') {
      problems.push({
        source,
        pattern,
        message: typeof words === 'string' ? words : shapeProblem(parsed.error),
      });
      const guarded = guardRule(source, pattern, shape);
      if (guarded) rules.push(guarded);
      continue;
    }
    const { decision, reason, examples, expires } = parsed.data;
    rules.push({
      source,
      pattern,
      words,
      verdict: decision,
      reason,
      expiry: expiryOf(expires),
      examples: { match: examples?.match ?? [], reject: examples?.reject ?? [] },
    });
  }
  return { rules, problems };
}

/** True while the rule counts. `uses` is how often it has been used so far, `branch` the one checked out. */
export function isInForce(
  rule: Rule,
  facts: { now: number; uses: number; branch: string | undefined },
): boolean {
  // A rule that forbids never lapses by accident: only permissions expire.
  if (rule.verdict !== 'allow') return true;
  switch (rule.expiry.kind) {
    case 'never':
      return true;
    case 'date': {
      const [year = 0, month = 1, day = 0] = rule.expiry.date.split('-').map(Number);
      return facts.now < new Date(year, month - 1, day + 1).getTime();
    }
    case 'uses':
      return facts.uses < rule.expiry.uses;
    case 'branch':
      return facts.branch === rule.expiry.branch;
  }
}

type WrittenExpiry = z.infer<typeof StructuredRule>['expires'];

function expiryOf(expires: WrittenExpiry): RuleExpiry {
  if (expires === undefined) return { kind: 'never' };
  if ('date' in expires) return { kind: 'date', date: expires.date };
  if ('uses' in expires) return { kind: 'uses', uses: expires.uses };
  return { kind: 'branch', branch: expires.branch };
}

function guardRule(source: RuleSource, pattern: string, shape: unknown): Rule | undefined {
  const verdict: unknown =
    typeof shape === 'object' && shape !== null ? Reflect.get(shape, 'decision') : undefined;
  const first = /^[^\s'"\\*]+/.exec(pattern.trimStart())?.[0];
  if ((verdict !== 'deny' && verdict !== 'ask') || first === undefined) return undefined;
  return {
    source,
    pattern,
    words: [{ kind: 'word', text: first }, { kind: 'rest' }],
    verdict: 'ask',
    reason: `The rule \`${pattern}\` cannot be read; until it is mended, every \`${first}\` is asked about.`,
    expiry: { kind: 'never' },
    examples: { match: [], reject: [] },
  };
}

function shapeProblem(error: z.ZodError | undefined): string {
  const issue = error?.issues[0];
  const where = issue && issue.path.length > 0 ? ` at \`${issue.path.join('.')}\`` : '';
  return `The value must be "allow", "ask" or "deny", or an object with "decision"${where}: ${issue?.message ?? 'unknown shape'}.`;
}
