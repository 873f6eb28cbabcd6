import type { Grant } from './grantSource.ts';

/** A grant in a few words beside its label: `read · today · used 3 times, last 5 minutes ago`. Pure. */
export function grantText(grant: Grant, now: number): string {
  return [grant.what, durationOf(grant), useOf(grant, now), ageOf(grant, now)]
    .filter(each => each !== '')
    .join(' · ');
}

/** Time that has passed, for people: `just now`, `5 minutes ago`, `2 days ago`. Pure. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  if (seconds < 60) return 'just now';
  for (const [unit, length] of units) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

function durationOf({ answer, expiresAt }: Grant): string {
  const words = {
    once: 'until the turn ends',
    session: 'for this session',
    today: 'today',
    always: 'always',
    never: 'never',
  }[answer];
  return answer === 'always' && expiresAt !== null
    ? `until ${new Date(expiresAt - 1).toLocaleDateString()}`
    : words;
}

function useOf({ answer, uses, lastUsedAt }: Grant, now: number): string {
  if (uses === undefined || answer === 'never') return '';
  if (uses === 0) return 'not used yet';
  const times = uses === 1 ? 'used once' : `used ${uses} times`;
  return lastUsedAt === null ? times : `${times}, last ${ago(lastUsedAt, now)}`;
}

function ageOf({ createdAt }: Grant, now: number): string {
  return createdAt === null ? '' : `given ${ago(createdAt, now)}`;
}
