/** Whether a rule as it stands in the settings permits something. */
export function isAllowed(rule: unknown): boolean {
  return decisionOf(rule) === 'allow';
}

/** What a rule decides; undefined when that cannot be read. */
export function decisionOf(rule: unknown): unknown {
  return isObject(rule) ? Reflect.get(rule, 'decision') : rule;
}

/** When a rule ends by its date, in milliseconds since the epoch; null when it has none. */
export function ruleExpiry(rule: unknown): number | null {
  const expires: unknown = isObject(rule) ? Reflect.get(rule, 'expires') : undefined;
  const date: unknown = isObject(expires) ? Reflect.get(expires, 'date') : undefined;
  if (typeof date !== 'string') return null;
  const [year = 0, month = 1, day = 0] = date.split('-').map(Number);
  // To the end of that local day.
  return new Date(year, month - 1, day + 1).getTime();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
