import * as vscode from 'vscode';
import type { CommandPolicy } from '../../policy/policy.ts';
import { parsePattern } from '../../policy/rules/pattern.ts';
import { plainLabel } from '../plainLabel.ts';
import { decisionOf } from './ruleText.ts';
import { type RulePlace, rulesOf, userRules, workspaceRules } from '../settings.ts';
import type { RuleScope } from '../../protocol/approval.ts';
import type { RuleUses } from './ruleUses.ts';
import type { WorkspaceRules } from './workspaceRules.ts';

type Verdict = 'allow' | 'ask' | 'deny';
type Row = vscode.QuickPickItem & { readonly run: () => Promise<void> };

interface Options {
  readonly rules: WorkspaceRules;
  readonly policy: () => Promise<CommandPolicy>;
  readonly uses: RuleUses;
  /** What a rule would have done to past commands, in a sentence. */
  readonly tryOnPast: (pattern: string, source: RuleScope, verdict: Verdict) => Promise<string>;
  /** Where a tested command would run. */
  readonly cwd: () => string;
}

/** The rules without JSON: list, test a command, add, change, move, delete. Escape goes back, and out. */
export async function editRules(options: Options): Promise<void> {
  for (;;) {
    const row = await vscode.window.showQuickPick(overview(options), {
      title: 'Cordon: command rules',
      placeHolder: 'Choose a rule to change it, or what to do',
      matchOnDescription: true,
    });
    if (row === undefined) return;
    await row.run();
  }
}

function overview(options: Options): Row[] {
  const { rules } = options;
  const places = [...workspaceRules(), userRules()];
  const waiting = new Set(rules.waiting().map(({ place }) => place));
  return [
    { label: 'Test a command against the rules…', iconPath: icon('beaker'), run: () => testCommand(options) },
    { label: 'Add a rule…', iconPath: icon('add'), run: () => addRule(options) },
    ...rules.waiting().map((place): Row => ({
      label: `Review the rules of the ${place.label}…`,
      iconPath: icon('warning'),
      description: 'they count for nothing until accepted',
      run: () => rules.review(place),
    })),
    ...places.flatMap(place =>
      Object.entries(rulesOf(place)).map(([pattern, rule]): Row => ({
        label: plainLabel(pattern),
        iconPath: icon(iconOf(rule)),
        description: [
          describe(rule),
          place.label,
          ...(waiting.has(place.place) ? ['not all accepted'] : []),
          lastUse(options.uses, place, pattern),
        ].join(' · '),
        run: () => changeRule(options, place, pattern),
      })),
    ),
  ];
}

async function testCommand({ policy, cwd }: Options): Promise<void> {
  const engine = await policy();
  const command = await vscode.window.showInputBox({
    title: 'Cordon: test a command',
    prompt: 'Nothing is run.',
    ignoreFocusOut: true,
  });
  if (command === undefined) return;
  const { decision, risk, reasons } = engine.decide({ command, cwd: cwd() });
  const verdict = {
    allow: 'Allowed without a question',
    ask: 'Asked',
    deny: 'Denied',
  }[decision];
  await vscode.window.showQuickPick(
    [
      { label: verdict, description: `risk ${risk} of 100` },
      ...reasons.map(({ message, code }) => ({
        label: plainLabel(message),
        description: code,
        iconPath: icon('info'),
      })),
    ],
    { title: `Cordon: ${command}`, placeHolder: 'Escape to go back' },
  );
}

async function addRule(options: Options): Promise<void> {
  const pattern = await vscode.window.showInputBox({
    title: 'Cordon: add a rule',
    prompt: 'Words of the command; * stands for one word, ** for all the rest. Such as: npm run *',
    ignoreFocusOut: true,
    validateInput: text => {
      const parsed = parsePattern(text.trim());
      return typeof parsed === 'string' ? parsed : undefined;
    },
  });
  if (pattern === undefined) return;
  const verdict = await pickVerdict(pattern.trim(), options);
  const place = verdict && (await pickPlace(pattern.trim()));
  if (verdict && place) await options.rules.change(place, { ...rulesOf(place), [pattern.trim()]: verdict });
}

async function changeRule(options: Options, place: RulePlace, pattern: string): Promise<void> {
  const { [pattern]: rule, ...others } = rulesOf(place);
  const changes: (vscode.QuickPickItem & { what: 'verdict' | 'move' | 'delete' })[] = [
    { label: 'Change what it does…', iconPath: icon('edit'), what: 'verdict' },
    { label: 'Move it elsewhere…', iconPath: icon('arrow-swap'), what: 'move' },
    { label: 'Delete it', iconPath: icon('trash'), what: 'delete' },
  ];
  const change = await vscode.window.showQuickPick(changes, {
    title: `Cordon: ${pattern}`,
    placeHolder: `${describe(rule)} · ${place.label}`,
  });
  if (change?.what === 'delete') await options.rules.change(place, others);
  if (change?.what === 'verdict') {
    const verdict = await pickVerdict(pattern, options);
    if (verdict) await options.rules.change(place, { ...others, [pattern]: verdict });
  }
  if (change?.what === 'move') {
    const target = await pickPlace(pattern);
    if (target === undefined || target.place === place.place) return;
    // Written to the new place first: at no moment is the rule nowhere.
    await options.rules.change(target, { ...rulesOf(target), [pattern]: rule });
    await options.rules.change(place, others);
  }
}

async function pickVerdict(pattern: string, { tryOnPast }: Options): Promise<Verdict | undefined> {
  const meanings: Record<Verdict, string> = {
    allow: 'Runs without a question, in the sandbox.',
    ask: 'Always asked, even where another rule allows it.',
    deny: 'Never runs.',
  };
  const rows = (['allow', 'ask', 'deny'] as const).map(async verdict => ({
    label: verdict,
    description: meanings[verdict],
    detail: await tryOnPast(pattern, 'user', verdict),
    verdict,
  }));
  return (await vscode.window.showQuickPick(Promise.all(rows), { title: `Cordon: ${pattern}` }))?.verdict;
}

function lastUse(uses: RuleUses, { place }: RulePlace, pattern: string): string {
  const use = uses.of({ source: place === 'user' ? 'user' : 'workspace', pattern });
  if (use === undefined) return 'not used yet';
  return `used ${use.count === 1 ? 'once' : `${use.count} times`}, last ${new Date(use.last).toLocaleString()}`;
}

async function pickPlace(pattern: string): Promise<RulePlace | undefined> {
  const rows = [...workspaceRules(), userRules()].map(place => ({ label: place.label, place }));
  return (await vscode.window.showQuickPick(rows, { title: `Cordon: where should "${pattern}" stand?` }))
    ?.place;
}

function describe(rule: unknown): string {
  const decision = decisionOf(rule);
  const reason: unknown = typeof rule === 'object' && rule !== null ? Reflect.get(rule, 'reason') : undefined;
  const text = typeof decision === 'string' ? decision : 'cannot be read, so it counts for nothing';
  return typeof reason === 'string' ? `${text} (${reason})` : text;
}

function icon(name: string): vscode.ThemeIcon {
  return new vscode.ThemeIcon(name);
}

function iconOf(rule: unknown): string {
  switch (decisionOf(rule)) {
    case 'allow':
      return 'check';
    case 'deny':
      return 'circle-slash';
    case 'ask':
      return 'question';
    default:
      return 'error';
  }
}
