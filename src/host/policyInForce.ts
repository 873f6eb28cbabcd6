import { homedir } from 'node:os';
import type { CommandPolicy, RuleProblem, RuleSettings } from '../policy/policy.ts';
import type { PolicyMode } from '../policy/mode.ts';
import { mode, whatIsAsked } from './settings.ts';

type Load = typeof import('../policy/loadPolicy.ts').loadPolicy;

interface Options {
  readonly folders: () => readonly string[];
  readonly rules: () => readonly RuleSettings[];
  /** A rule that could not be read: to be named to the user, once. */
  readonly onProblem: (problem: RuleProblem) => void;
}

/** The policy as the settings stand now. The engine is loaded with the first session; rules are read again when they change. */
export class PolicyInForce {
  #load: Load | undefined;
  #known: { readonly inputs: string; readonly policy: CommandPolicy } | undefined;
  readonly #named = new Set<string>();

  constructor(private readonly options: Options) {}

  /** Loads the engine; before this there is no policy. */
  async ready(): Promise<void> {
    this.#load ??= (await import('../policy/loadPolicy.ts')).loadPolicy;
  }

  /**
   * Throws before `ready`, and then everything is asked.
   *
   * @param walls `none` for a conversation that the user let out of the sandbox
   */
  policy(walls: 'sandbox' | 'none' = 'sandbox'): CommandPolicy {
    if (this.#load === undefined) throw new Error('the command policy is not loaded yet');
    const settings = this.options.rules();
    const folders = this.options.folders();
    const inForce = modeInForce(walls);
    const inputs = JSON.stringify([settings, folders, inForce]);
    if (this.#known?.inputs !== inputs) {
      const { policy, problems } = this.#load({ folders, home: homedir(), settings, mode: inForce });
      this.#known = { inputs, policy };
      for (const problem of problems) this.#name(problem);
    }
    return this.#known.policy;
  }

  #name(problem: RuleProblem): void {
    const key = JSON.stringify(problem);
    if (this.#named.has(key)) return;
    this.#named.add(key);
    this.options.onProblem(problem);
  }
}

function modeInForce(walls: 'sandbox' | 'none'): PolicyMode {
  if (mode() === 'locked') return { kind: 'locked' };
  if (walls === 'none') return { kind: 'unrestricted' };
  const asks = { everything: 'everything', allowlist: 'notAllowed', contained: 'leaving' } as const;
  return { kind: 'sandboxed', asks: asks[whatIsAsked()] };
}
