import * as z from 'zod';

/** `cordon.commands.rules` of one place, unread. */
const Rules = z.record(z.string(), z.unknown());
export type UnreadRules = z.infer<typeof Rules>;

/** What the workspace's rules come to, given what the user has accepted before. */
export interface AcceptedRules {
  /** What counts: never looser than the accepted rules and never looser than the file. */
  readonly active: UnreadRules;
  /** What waits for the user's word: allowing rules that are new, and forbidding ones that are gone or changed. */
  readonly pending: readonly {
    readonly pattern: string;
    readonly before: unknown;
    readonly after: unknown;
  }[];
}

/**
 * Holds the rules that a repository brings against those the user accepted. A permission counts only when it stands in
 * both; a prohibition (or anything not plainly a permission) counts when it stands in either. So a rule that arrives
 * with a pull widens nothing until it is accepted, one that is taken out of the file ends at once, and a prohibition
 * does not disappear unseen. Empty: no rules.
 *
 * @param file what the workspace's settings hold; anything but an object counts as no rules
 * @param accepted as kept where the agent cannot write
 */
export function acceptedRules(file: unknown, accepted: unknown): AcceptedRules {
  const here = Rules.catch({}).parse(file);
  const known = Rules.catch({}).parse(accepted);
  const active: UnreadRules = {};
  const pending: AcceptedRules['pending'][number][] = [];
  for (const pattern of new Set([...Object.keys(known), ...Object.keys(here)])) {
    const before = known[pattern];
    const after = here[pattern];
    if (same(before, after)) active[pattern] = after;
    else if (allows(before) && after === undefined) continue;
    else {
      pending.push({ pattern, before, after });
      const stricter = [before, after].find(rule => rule !== undefined && !allows(rule));
      if (stricter !== undefined) active[pattern] = stricter;
    }
    // A new prohibition only tightens: it counts, and needs nobody's word.
    if (before === undefined && after !== undefined && !allows(after)) pending.pop();
  }
  return { active, pending };
}

/**
 * What counts as accepted after the user changed the rules of a place: what was accepted, with exactly the rules that
 * differ between `before` and `after`. A rule that the user did not touch stays as accepted, or not, as it was.
 */
export function acceptChange(accepted: UnreadRules, before: UnreadRules, after: UnreadRules): UnreadRules {
  const next = { ...accepted };
  for (const pattern of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (same(before[pattern], after[pattern])) continue;
    if (after[pattern] === undefined) delete next[pattern];
    else next[pattern] = after[pattern];
  }
  return next;
}

/** Whether a rule could let something run: `allow`, or an object that says so. */
function allows(rule: unknown): boolean {
  return (
    rule === 'allow' ||
    (typeof rule === 'object' && rule !== null && Reflect.get(rule, 'decision') === 'allow')
  );
}

function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted keys, so that reordering an object is no change. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
