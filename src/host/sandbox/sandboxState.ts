import { Emitter } from '../../base/emitter.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import type { SandboxBadge } from '../../protocol/panel.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import type { SelfTestReport } from '../../../sandbox/selfTest.ts';

interface Probes {
  /** For the backend that the settings name. */
  readonly check: () => Promise<{ readonly kind: 'ready' } | ({ readonly kind: 'unavailable' } & Problem)>;
  readonly selfTest: (sandbox: Sandbox) => Promise<SelfTestReport>;
}

type Problem = { readonly code: string; readonly message: string; readonly remedy: string };

/** Whether walls can be had, and whether the last ones held. What the badge shows and what the gate asks. */
export class SandboxState {
  readonly changed = new Emitter<void>();
  #problem: Problem | undefined;
  #badge: SandboxBadge = {
    state: 'off',
    label: 'Sandbox: not started',
    detail: 'It is checked once a trusted folder is open.',
  };
  #workspace: { readonly mark: string; readonly detail: string } | undefined;
  #report: SelfTestReport | undefined;

  constructor(private readonly probes: Probes) {}

  get problem(): Problem | undefined {
    return this.#problem;
  }

  get badge(): SandboxBadge {
    const { state, label, detail } = this.#badge;
    if (state !== 'holding' || this.#workspace === undefined) return this.#badge;
    return { state, label: label + this.#workspace.mark, detail: `${detail} ${this.#workspace.detail}` };
  }

  /** What the agent works in. */
  showWorkspace({ mark, detail }: { readonly mark: string; readonly detail: string }): void {
    this.#workspace = { mark, detail };
    this.changed.emit();
  }

  /** Looks again whether a sandbox can be started here. A check that throws counts as no. */
  async check(): Promise<void> {
    this.#badge = { state: 'checking', label: 'Sandbox: checking', detail: 'Trying to start one.' };
    this.changed.emit();
    try {
      const readiness = await this.probes.check();
      if (readiness.kind === 'ready') {
        this.#problem = undefined;
        this.#badge = {
          state: 'holding',
          label: 'Sandbox: ready',
          detail: 'It starts here, and is tested at the start of each session.',
        };
      } else this.#fail(readiness);
    } catch (error) {
      this.#fail({
        code: 'sandbox.checkFailed',
        message: `The sandbox could not be checked: ${messageOf(error)}`,
        remedy: 'Try "Check again".',
      });
    }
    this.changed.emit();
  }

  /** Tries to get out of these walls. Rejects, and nothing may run in them, unless every probe was held. */
  async prove(sandbox: Sandbox): Promise<void> {
    const report = await this.probes.selfTest(sandbox);
    this.#report = report;
    const broken = report.probes.filter(probe => !probe.ok);
    // A report that tried nothing shows nothing.
    if (report.probes.length > 0 && broken.length === 0) {
      this.#badge = {
        state: 'holding',
        label: 'Sandbox: holding',
        detail: `${report.probes.length} attempts to get out were stopped.`,
      };
      this.changed.emit();
      return;
    }
    const names = broken.map(probe => `${probe.name}: ${probe.detail}`).join('; ');
    const problem = {
      code: 'sandbox.selfTestFailed',
      message: `The sandbox did not hold its self-test (${names}).`,
      remedy: 'Nothing was run. Run "Cordon: Show Sandbox Report" for the details.',
    };
    this.#fail(problem);
    this.changed.emit();
    throw new CordonError(problem.code, problem.message, problem.remedy);
  }

  /** A conversation runs without walls, as the user confirmed. */
  showOff(): void {
    this.#badge = {
      state: 'off',
      label: 'No sandbox',
      detail: 'Unrestricted: commands of this conversation run with your rights.',
    };
    this.changed.emit();
  }

  /** The last self-test and the state of things, as Markdown. */
  report(): string {
    const lines = [`# Cordon: sandbox report`, '', `**${this.badge.label}.** ${this.badge.detail}`, ''];
    if (this.#problem !== undefined)
      lines.push(this.#problem.message, '', '```', this.#problem.remedy, '```', '');
    if (this.#report === undefined) lines.push('No session has started yet; its self-test will show here.');
    else {
      lines.push('| attempt to get out | result | detail |', '|---|---|---|');
      for (const probe of this.#report.probes)
        lines.push(
          `| ${probe.name} | ${probe.ok ? 'stopped' : '**not stopped**'} | ${probe.detail.replaceAll('|', '\\|')} |`,
        );
      for (const { name, why } of this.#report.absent ?? []) lines.push(`| ${name} | not tried | ${why} |`);
    }
    return lines.join('\n') + '\n';
  }

  #fail({ code, message, remedy }: Problem): void {
    this.#problem = { code, message, remedy };
    this.#badge = { state: 'failed', label: 'Sandbox: not holding', detail: message };
  }
}
