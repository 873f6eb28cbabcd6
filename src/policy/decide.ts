import type { Decision, Reason } from '../protocol/decision.ts';
import type { Finding } from './finding.ts';
import type { JudgedCommand, JudgedLine } from './judgeLine.ts';
import type { PolicyMode } from './mode.ts';
import { matchPattern, mayMatchPattern } from './rules/match.ts';
import type { Rule } from './rules/rule.ts';
import { riskOf } from './risk.ts';

/** What became of one command: `open` findings keep it from being allowed; `rules` are those that matched. */
export interface CommandVerdict {
  readonly judged: JudgedCommand;
  readonly open: readonly Finding[];
  readonly rules: readonly Rule[];
}

/** Applies the rules in force to one judged command; the strictest that matches wins. */
export function applyRules(judged: JudgedCommand, rules: readonly Rule[]): CommandVerdict {
  const { command, findings } = judged;
  const { words, span } = command;
  const forbidding = rules.flatMap(rule => {
    const match = rule.verdict === 'allow' ? 'no' : mayMatchPattern(rule.words, words);
    // What may or may not be forbidden is for the person to say.
    return match === 'no'
      ? []
      : [
          {
            rule,
            verdict: match === 'yes' && rule.verdict === 'deny' ? ('deny' as const) : ('ask' as const),
          },
        ];
  });
  if (forbidding.length > 0)
    return {
      judged,
      rules: forbidding.map(({ rule }) => rule),
      open: [...findings, ...forbidding.map(({ rule, verdict }) => ruleFinding(rule, span, verdict))],
    };
  const granting = rules.flatMap(rule => {
    const named = rule.verdict === 'allow' ? matchPattern(rule.words, words) : undefined;
    return named === undefined ? [] : [{ rule, named }];
  });
  const byOuter = exactlyGranted(judged.outer, rules);
  const cured = (finding: Finding) =>
    (byOuter && finding.cure !== 'person') ||
    granting.some(
      ({ named }) =>
        finding.cure === 'rule' ||
        (finding.cure === 'word' && finding.word !== undefined && named.has(finding.word)),
    );
  return {
    judged,
    rules: granting.map(({ rule }) => rule),
    open: findings.filter(finding => finding.verdict === 'deny' || !cured(finding)),
  };
}

/** A rule that names every word of a wrapper's command allows what that wrapper runs. */
function exactlyGranted(outer: JudgedCommand | undefined, rules: readonly Rule[]): boolean {
  if (outer === undefined) return false;
  const exact = rules.some(
    rule =>
      rule.verdict === 'allow' &&
      matchPattern(rule.words, outer.command.words)?.size === outer.command.words.length,
  );
  return exact || exactlyGranted(outer.outer, rules);
}

/** The decision on a whole line: every command must be allowed on its own, and nothing may be left open. */
export function decideLine(
  text: string,
  line: JudgedLine,
  verdicts: readonly CommandVerdict[],
  mode: PolicyMode,
): Decision {
  const whole: Reason['span'] = [0, text.length];
  const open = [...line.findings, ...verdicts.flatMap(verdict => verdict.open)];
  const risk = riskOf(open);
  const untold = new Set(verdicts.flatMap(verdict => alreadySaid(verdict.open)));
  const told = (findings: readonly Finding[]) => findings.filter(each => !untold.has(each)).map(reasonOf);
  const reasons = told(open);
  const denies = open.some(finding => finding.verdict === 'deny');
  if (mode.kind === 'locked')
    return {
      decision: 'deny',
      risk,
      reasons: [{ code: 'mode.locked', message: 'Commands are locked.', span: whole }, ...unique(reasons)],
    };
  if (denies)
    return {
      decision: 'deny',
      risk,
      reasons: unique(
        told(open.toSorted((a, b) => Number(b.verdict === 'deny') - Number(a.verdict === 'deny'))),
      ),
    };
  if (mode.kind === 'sandboxed' && mode.asks === 'everything')
    return {
      decision: 'ask',
      risk,
      reasons: [
        { code: 'mode.everything', message: 'Every command is asked about.', span: whole },
        ...unique(reasons),
      ],
    };
  const asked =
    mode.kind === 'sandboxed' && mode.asks === 'leaving' ? open.filter(finding => !finding.stays) : open;
  if (asked.length > 0) return { decision: 'ask', risk, reasons: unique(told(asked)) };
  const allowed = verdicts.map(verdict => allowedBecause(verdict));
  if (open.length > 0)
    return {
      decision: 'allow',
      risk,
      reasons: [
        { code: 'mode.contained', message: 'This stays inside the sandbox.', span: whole },
        ...unique(reasons),
      ],
    };
  return {
    decision: 'allow',
    risk,
    reasons: unique(
      allowed.length > 0
        ? allowed
        : [{ code: 'line.nothing', message: 'This runs no command.', span: whole }],
    ),
  };
}

/** Of a command that is not known at all, nobody wants to hear that its words are not known either. */
function alreadySaid(open: readonly Finding[]): Finding[] {
  if (!open.some(({ code }) => code === 'tool.unknown')) return [];
  return open.filter(({ code }) => code === 'tool.unexpectedOperand' || code === 'tool.unknownOption');
}

function allowedBecause({ judged, rules }: CommandVerdict): Reason {
  const [from, to] = judged.command.span;
  const [rule] = rules;
  if (rule && judged.findings.length > 0)
    return {
      code: 'rule.allow',
      message: `Allowed by the rule \`${rule.pattern}\` (${rule.source})${rule.reason ? `: ${rule.reason}` : '.'}`,
      span: [from, to],
    };
  return {
    code: 'tool.readOnly',
    message: 'This only reads, and only inside the workspace.',
    span: [from, to],
  };
}

function ruleFinding(rule: Rule, span: Finding['span'], verdict: 'ask' | 'deny'): Finding {
  const what = verdict === 'deny' ? 'Denied' : 'Asked';
  return {
    verdict,
    code: `rule.${verdict}`,
    message: `${what} by the rule \`${rule.pattern}\` (${rule.source})${rule.reason ? `: ${rule.reason}` : '.'}`,
    span,
    risk: verdict === 'deny' ? 70 : 30,
    cure: 'person',
    stays: false,
  };
}

function reasonOf({ code, message, span: [from, to] }: Finding): Reason {
  return { code, message, span: [from, to] };
}

function unique(reasons: readonly Reason[]): Reason[] {
  const seen = new Set<string>();
  return reasons.filter(({ code, message, span }) => {
    const key = `${code} ${span.join()} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
