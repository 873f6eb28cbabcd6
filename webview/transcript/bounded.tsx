import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface BoundedProps<T> {
  readonly entries: readonly T[];
  /** What is kept of a long list: its beginning (a diff) or its end (output). */
  readonly keep: 'start' | 'end';
  readonly limit: number;
  readonly unit: string;
  readonly children: (entries: readonly T[]) => ComponentChildren;
}

/** A long list, at first only so much of it that drawing stays cheap, and a button for the rest. */
export function Bounded<T>({ entries, keep, limit, unit, children }: BoundedProps<T>) {
  const [all, setAll] = useState(false);
  if (all || entries.length <= limit) return <>{children(entries)}</>;
  const more = (
    <button type="button" class="link-button" onClick={() => setAll(true)}>
      Show all {entries.length.toLocaleString()} {unit}
    </button>
  );
  return keep === 'start' ? (
    <>
      {children(entries.slice(0, limit))}
      {more}
    </>
  ) : (
    <>
      {more}
      {children(entries.slice(-limit))}
    </>
  );
}
