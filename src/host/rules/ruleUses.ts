import type * as vscode from 'vscode';
import * as z from 'zod';

/** How often a rule let something run, and when it last did (milliseconds since the epoch). */
export interface RuleUse {
  readonly count: number;
  readonly last: number;
}

/** Which rule: the scope and its pattern. */
interface Named {
  readonly source: string;
  readonly pattern: string;
}

const stateKey = 'ruleUses';
const Uses = z.record(z.string(), z.object({ count: z.number(), last: z.number() })).catch({});

/** Counts the uses of rules, over restarts, where neither the repository nor the agent can write. */
export class RuleUses {
  constructor(private readonly state: vscode.Memento) {}

  /** Undefined when it was never used in this workspace. */
  of(rule: Named): RuleUse | undefined {
    return this.#all()[keyOf(rule)];
  }

  count(rule: Named): void {
    const all = this.#all();
    const count = (all[keyOf(rule)]?.count ?? 0) + 1;
    void this.state.update(stateKey, { ...all, [keyOf(rule)]: { count, last: Date.now() } });
  }

  #all(): Record<string, RuleUse> {
    return Uses.parse(this.state.get(stateKey));
  }
}

function keyOf({ source, pattern }: Named): string {
  return JSON.stringify([source, pattern]);
}
