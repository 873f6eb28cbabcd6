import { homedir } from 'node:os';
import type { backTest, PastCommand } from '../../policy/backTest.ts';
import type { loadPolicy, PolicyOptions } from '../../policy/loadPolicy.ts';
import type { PolicyMode } from '../../policy/mode.ts';
import type { CommandPolicy, RuleProblem, RuleSettings } from '../../policy/policy.ts';
import type { RuleScope } from '../../protocol/approval.ts';
import { currentBranch } from './currentBranch.ts';
import type { RuleUses } from './ruleUses.ts';
import { mode, whatIsAsked } from '../settings.ts';

interface Options {
  readonly folders: () => readonly string[];
  readonly rules: () => readonly RuleSettings[];
  readonly uses: RuleUses;
  /** Commands of this workspace's past, for trying rules on them. */
  readonly past: () => readonly PastCommand[];
  /** A rule that could not be read: to be named to the user, once. */
  readonly onProblem: (problem: RuleProblem) => void;
}

interface Engine {
  readonly loadPolicy: typeof loadPolicy;
  readonly backTest: typeof backTest;
}

/** Where a conversation's commands run. */
type Walls = 'sandbox' | 'none';

/** The policy as the settings stand now. The engine is loaded with the first session; rules are read again when they change. */
export class PolicyInForce {
  #engine: Engine | undefined;
  readonly #known = new Map<Walls, { readonly inputs: string; readonly policy: CommandPolicy }>();
  readonly #named = new Set<string>();

  constructor(private readonly options: Options) {}

  /** Loads the engine; before this there is no policy. */
  async ready(): Promise<void> {
    this.#engine ??= {
      loadPolicy: (await import('../../policy/loadPolicy.ts')).loadPolicy,
      backTest: (await import('../../policy/backTest.ts')).backTest,
    };
  }

  /**
   * For running commands: what a rule lets run counts as a use of it. Throws before `ready`, and then everything is
   * asked.
   */
  policy(walls: Walls, granted: readonly string[] = []): CommandPolicy {
    const options = { ...this.#policyOptions(walls), granted };
    const { uses } = this.options;
    const inputs = JSON.stringify([options.settings, options.folders, options.mode, granted]);
    const known = this.#known.get(walls);
    if (known?.inputs === inputs) return known.policy;
    const loaded = this.#loaded().loadPolicy({ ...options, onUse: rule => uses.count(rule) });
    this.#known.set(walls, { inputs, policy: loaded.policy });
    for (const problem of loaded.problems) this.#name(problem);
    return loaded.policy;
  }

  /** For looking only: no use is counted. */
  async preview(): Promise<CommandPolicy> {
    await this.ready();
    return this.#loaded().loadPolicy(this.#policyOptions('sandbox')).policy;
  }

  /** What a permission would have done to the commands of this workspace's past, in a sentence. */
  async tryOnPast(
    pattern: string,
    source: RuleScope,
    verdict: 'allow' | 'ask' | 'deny' = 'allow',
  ): Promise<string> {
    await this.ready();
    const rule = { pattern, verdict, source };
    return this.#loaded().backTest(this.#policyOptions('sandbox'), rule, this.options.past()).summary;
  }

  #policyOptions(walls: Walls): PolicyOptions {
    const { folders, rules, uses } = this.options;
    const [first] = folders();
    return {
      folders: folders(),
      home: homedir(),
      settings: rules(),
      mode: modeInForce(walls),
      uses: rule => uses.of(rule)?.count ?? 0,
      branch: () => (first === undefined ? undefined : currentBranch(first)),
    };
  }

  #loaded(): Engine {
    if (this.#engine === undefined) throw new Error('the command policy is not loaded yet');
    return this.#engine;
  }

  #name(problem: RuleProblem): void {
    const key = JSON.stringify(problem);
    if (this.#named.has(key)) return;
    this.#named.add(key);
    this.options.onProblem(problem);
  }
}

function modeInForce(walls: Walls): PolicyMode {
  if (mode() === 'locked') return { kind: 'locked' };
  if (walls === 'none') return { kind: 'unrestricted' };
  const asks = { everything: 'everything', allowlist: 'notAllowed', contained: 'leaving' } as const;
  return { kind: 'sandboxed', asks: asks[whatIsAsked()] };
}
