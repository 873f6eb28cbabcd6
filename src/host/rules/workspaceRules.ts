import * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import { acceptChange, acceptedRules } from '../../policy/acceptedRules.ts';
import type { RuleSettings } from '../../policy/policy.ts';
import type { RuleScope } from '../../protocol/approval.ts';
import { type RulePlace, rulesOf, userRules, workspaceRules, writeRules } from '../settings.ts';

const acceptedKey = 'acceptedRules';
const scheme = 'cordon-rules';

/**
 * The command rules in force. The user's own count as they stand; the workspace's come with the code, so they widen
 * nothing until the user has accepted them as a diff. What was accepted is kept in VS Code's workspace state, which
 * neither the repository nor the agent can write.
 */
export class WorkspaceRules implements vscode.Disposable {
  /** The texts of the diff that is open: by path of the virtual document. */
  readonly #texts = new Map<string, string>();
  readonly #provider: vscode.Disposable;
  #asking: string | undefined;

  constructor(private readonly state: vscode.Memento) {
    this.#provider = vscode.workspace.registerTextDocumentContentProvider(scheme, {
      provideTextDocumentContent: uri => this.#texts.get(uri.path) ?? '',
    });
  }

  /** What the policy loads: user rules, and of the workspace's what counts. */
  inForce(): RuleSettings[] {
    return [
      { source: 'user', value: userRules().value },
      ...workspaceRules().map((place): RuleSettings => ({
        source: 'workspace',
        value: this.#check(place).active,
      })),
    ];
  }

  /** Adds a permission where the user picked. In the workspace it is accepted with that, and nothing else is. */
  async allow(pattern: string, scope: RuleScope): Promise<void> {
    const place = scope === 'user' ? userRules() : workspaceRules()[0];
    if (place === undefined)
      throw new CordonError('rules.noWorkspace', 'No workspace is open to keep the rule in.');
    await this.change(place, { ...rulesOf(place), [pattern]: 'allow' });
  }

  /** Writes the rules of a place as the user made them; what the user changed counts as accepted. */
  async change(place: RulePlace, rules: Readonly<Record<string, unknown>>): Promise<void> {
    if (place.place !== 'user') {
      await this.#accept(place, acceptChange(this.#accepted(place), rulesOf(place), rules));
    }
    await writeRules(place.place, rules);
  }

  /** Shows what the workspace's rules would change, and asks whether they may. Closing it changes nothing. */
  async askAboutChanges(): Promise<void> {
    for (const place of workspaceRules()) {
      const { pending } = this.#check(place);
      const identity = JSON.stringify([place.place, pending]);
      // Asked once per change; "Manage Command Rules" shows it again.
      if (pending.length === 0 || this.#asking === identity) continue;
      this.#asking = identity;
      const count = pending.length === 1 ? '1 command rule' : `${pending.length} command rules`;
      const answer = await vscode.window.showWarningMessage(
        `The ${place.label} would change ${count}. They count for nothing until you accept them.`,
        'Review…',
      );
      if (answer === 'Review…') await this.review(place);
    }
  }

  /** The diff between what counts and what the file says, with the question. */
  async review(place: RulePlace): Promise<void> {
    const before = this.#document(`accepted/${place.place}`, this.#accepted(place));
    const after = this.#document(`proposed/${place.place}`, rulesOf(place));
    await vscode.commands.executeCommand(
      'vscode.diff',
      before,
      after,
      `Command rules: accepted ↔ ${place.label}`,
    );
    const accept = 'Accept these rules';
    // A quick pick that stays: the diff can be read, and a notification would lie over the panel's prompt box.
    const answer = await vscode.window.showQuickPick(['Leave them inert', accept], {
      title: `Cordon: the command rules of the ${place.label}, as shown below`,
      ignoreFocusOut: true,
    });
    if (answer !== accept) return;
    // Only what was shown is accepted: the file may have changed while the question stood.
    const current = workspaceRules().find(each => each.place === place.place);
    if (current === undefined || JSON.stringify(rulesOf(current)) !== JSON.stringify(rulesOf(place))) {
      throw new CordonError(
        'rules.changed',
        'The rules changed while you looked at them.',
        'Review them once more.',
      );
    }
    await this.#accept(place, rulesOf(place));
  }

  /** Places whose rules wait for the user's word. */
  waiting(): RulePlace[] {
    return workspaceRules().filter(place => this.#check(place).pending.length > 0);
  }

  dispose(): void {
    this.#provider.dispose();
  }

  #check(place: RulePlace) {
    return acceptedRules(place.value, this.#accepted(place));
  }

  #accepted({ place }: RulePlace): Record<string, unknown> {
    return this.state.get<Record<string, Record<string, unknown>>>(acceptedKey, {})[place] ?? {};
  }

  async #accept({ place }: RulePlace, rules: Readonly<Record<string, unknown>>): Promise<void> {
    const all = this.state.get<Record<string, unknown>>(acceptedKey, {});
    await this.state.update(acceptedKey, { ...all, [place]: rules });
  }

  #document(path: string, rules: Readonly<Record<string, unknown>>): vscode.Uri {
    // A new path each time: VS Code keeps the text of a virtual document as long as it is open.
    const uri = vscode.Uri.from({ scheme, path: `/${path}-${this.#texts.size}.jsonc` });
    this.#texts.set(uri.path, `${heading}${JSON.stringify(rules, null, 2)}\n`);
    return uri;
  }
}

/** Long enough that the question, which lies over the top of the editor, hides no rule. */
const heading = `// Command rules of this workspace.
// Left: what you have accepted. Right: what the settings file holds now.
//
// A permission counts once you accept it.
// A prohibition counts at once, and stays until you accept that it goes.
//
`;
