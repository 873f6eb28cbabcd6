import { realpathSync } from 'node:fs';
import type { Decision } from '../protocol/decision.ts';
import { applyRules, decideLine } from './decide.ts';
import { judgeLine } from './judgeLine.ts';
import { defaultMode } from './mode.ts';
import type { PolicyMode } from './mode.ts';
import { boundaryOf } from './paths/boundary.ts';
import type { PathContext } from './paths/judgePath.ts';
import type { CommandPolicy, CommandRequest, RuleProblem, RuleSettings } from './policy.ts';
import { checkExamples } from './rules/checkExamples.ts';
import { propose } from './rules/propose.ts';
import { isInForce, readRules } from './rules/rule.ts';
import type { Rule } from './rules/rule.ts';

export interface PolicyOptions {
  /** Workspace folders, absolute. Empty: nothing is inside, and every path is asked about. */
  readonly folders: readonly string[];
  /** Outside of the workspace, and open to reading all the same: absolute real paths. Default none. */
  readonly granted?: readonly string[];
  /** The user's home, absolute. */
  readonly home: string;
  /** Every scope's `cordon.commands.rules`; strictest wins over all of them. Empty: only the built-in list. */
  readonly settings: readonly RuleSettings[];
  /** Default: sandboxed, asking for what is not allowed. */
  readonly mode?: PolicyMode;
  /** Milliseconds since the epoch; default the clock. */
  readonly now?: () => number;
  /** How often a rule has been used so far; default never. */
  readonly uses?: (rule: Rule) => number;
  /** Told for each rule without which an allowed line would not have been; default nobody. */
  readonly onUse?: (rule: Rule) => void;
  /** The branch checked out in the workspace; default unknown, which ends rules bound to a branch. */
  readonly branch?: () => string | undefined;
}

/**
 * Binds rules and facts to a policy. Rules that cannot be read, or whose examples do not hold, are in `problems` and do
 * not count; `rules` are those that do.
 */
export function loadPolicy(options: PolicyOptions): {
  policy: CommandPolicy;
  problems: RuleProblem[];
  rules: readonly Rule[];
} {
  const read = options.settings.map(readRules);
  const problems = read.flatMap(part => part.problems);
  const boundary = boundaryOf([...options.folders, ...(options.granted ?? [])], options.home);
  const mode = options.mode ?? defaultMode;
  const checked = read
    .flatMap(part => part.rules)
    .filter(rule => {
      const failure = checkExamples(rule, { boundary, folders: options.folders, masked: true });
      if (failure !== undefined)
        problems.push({ source: rule.source, pattern: rule.pattern, message: failure });
      return failure === undefined;
    });
  const now = options.now ?? Date.now;
  const inForce = () =>
    checked.filter(rule =>
      isInForce(rule, {
        now: now(),
        uses: options.uses?.(rule) ?? 0,
        branch: rule.expiry.kind === 'branch' ? options.branch?.() : undefined,
      }),
    );
  const contextFor = (request: CommandRequest): PathContext => ({
    boundary,
    folders: folderOf(request.cwd),
    masked: mode.kind === 'sandboxed',
  });

  const policy: CommandPolicy = {
    decide(request): Decision {
      try {
        const line = judgeLine(request.command, contextFor(request));
        const rules = inForce();
        const verdicts = line.commands.map(command => applyRules(command, rules));
        const decision = decideLine(request.command, line, verdicts, mode);
        if (options.onUse !== undefined && decision.decision === 'allow') {
          const needed = verdicts.filter(({ judged }) => judged.findings.length > 0);
          for (const rule of new Set(needed.flatMap(verdict => verdict.rules))) options.onUse(rule);
        }
        return decision;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return {
          decision: 'ask',
          risk: 60,
          reasons: [
            {
              code: 'policy.failed',
              message: `The line could not be judged: ${message}`,
              span: [0, request.command.length],
            },
          ],
        };
      }
    },
    propose(request) {
      try {
        const line = judgeLine(request.command, contextFor(request));
        return propose(
          line,
          line.commands.map(command => applyRules(command, inForce())),
        );
      } catch {
        return [];
      }
    },
  };
  return { policy, problems, rules: checked };
}

const realFolders = new Map<string, { readonly at: number; readonly real: readonly string[] | undefined }>();
/** How long a working folder is taken to be where it was, in milliseconds. */
const freshFor = 500;

/** The working folder without links; not known when it is not there or not absolute. */
function folderOf(cwd: string): readonly string[] | undefined {
  const now = performance.now();
  const known = realFolders.get(cwd);
  if (known && now - known.at < freshFor) return known.real;
  let real: readonly string[] | undefined;
  try {
    real = cwd.startsWith('/') && !cwd.includes('\0') ? [realpathSync.native(cwd)] : undefined;
  } catch {
    // It is not there, or not to be looked at.
  }
  if (realFolders.size > 100) realFolders.clear();
  realFolders.set(cwd, { at: now, real });
  return real;
}
