import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import { expect, onTestFinished, test } from 'vitest';

/**
 * Which of our folders each layer may import besides its own, and whether it may import `vscode`. Imports point down.
 * The row for `src/extension.ts` and `src/commands.ts`, which may import everything, needs no rule.
 */
const layers: readonly Layer[] = [
  { folder: 'src/base', mayImport: [] },
  { folder: 'src/protocol', mayImport: [] },
  { folder: 'webview', mayImport: ['src/protocol'] },
  { folder: 'sandbox', except: 'sandbox/agent', mayImport: ['src/base'] },
  { folder: 'sandbox/agent', mayImport: ['src/base', 'src/protocol'] },
  { folder: 'src/policy', mayImport: ['src/base', 'src/protocol'] },
  ...['src/overlay', 'src/egress', 'src/gateway', 'src/store'].map(folder => ({
    folder,
    mayImport: ['src/base', 'src/protocol', 'sandbox'],
  })),
  { folder: 'src/session', mayImport: belowSession() },
  { folder: 'src/host', mayImport: [...belowSession(), 'src/session', 'src/panel'], vscode: true },
  { folder: 'src/panel', mayImport: [...belowSession(), 'src/session', 'src/host'], vscode: true },
  { folder: 'src/cli', mayImport: [...belowSession(), 'src/session'] },
];

interface Layer {
  readonly folder: string;
  /** A folder inside it that is a layer of its own. */
  readonly except?: string;
  readonly mayImport: readonly string[];
  readonly vscode?: boolean;
}

function belowSession(): string[] {
  const named = ['base', 'protocol', 'policy', 'overlay', 'egress', 'gateway', 'store'];
  return [...named.map(name => `src/${name}`), 'sandbox'];
}

const project = path.resolve(import.meta.dirname, '../..');

test('imports point down, and only the VS Code adapters import vscode', async () => {
  const result = await cruiseProject(project);

  expect(violationsOf(result)).toEqual([]);
  // Without a TypeScript it can use, the cruiser looks at nothing and finds nothing wrong.
  expect(result.summary.totalCruised).toBeGreaterThan(100);
  const cruised = result.modules.map(module => module.source);
  const empty = layers.filter(layer => !cruised.some(source => source.startsWith(`${layer.folder}/`)));
  expect(empty.map(layer => layer.folder)).toEqual([]);
});

test('an import that points up, sideways or to vscode is found', async () => {
  const copy = mkdtempSync(path.join(tmpdir(), 'cordon-layers-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  for (const part of ['src', 'sandbox', 'webview', 'package.json', 'tsconfig.json']) {
    cpSync(path.join(project, part), path.join(copy, part), { recursive: true });
  }
  const planted = {
    'src/base/planted.ts': "import type { Mode } from '../protocol/panel.ts';\nexport type Planted = Mode;\n",
    'src/policy/planted.ts':
      "import type { Session } from '../session/session.ts';\nexport type Planted = Session;\n",
    'src/gateway/planted.ts': "export { type History } from '../store/history.ts';\n",
    'src/session/planted.ts': "import * as vscode from 'vscode';\nexport const planted = vscode.env;\n",
    'src/cli/planted.ts': "export const planted = import('vscode');\n",
    'sandbox/planted.ts': "export type Planted = import('../src/protocol/panel.ts').Mode;\n",
    'webview/planted.ts': "export { CordonError } from '../src/base/errors.ts';\n",
    'sandbox/agent/planted.ts': "export { type Sandbox } from '../sandbox.ts';\n",
  };
  for (const [file, text] of Object.entries(planted)) writeFileSync(path.join(copy, file), text);

  const found = violationsOf(await cruiseProject(copy));

  expect(found.filter(line => line.includes('planted')).map(line => line.split(' ')[0])).toEqual(
    Object.keys(planted).sort(),
  );
});

async function cruiseProject(folder: string): Promise<ICruiseResult> {
  const { output } = await cruise(['src', 'sandbox', 'webview'], {
    baseDir: folder,
    ruleSet: { forbidden: layers.flatMap(rulesOf) },
    validate: true,
    // Imports of types alone count too: a layer that names a type of another knows of it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  });
  if (typeof output === 'string') throw new Error(output);
  return output;
}

function rulesOf({ folder, except, mayImport, vscode }: Layer): IForbiddenRuleType[] {
  const ours = '^(src|sandbox|webview)/';
  const from =
    except === undefined ? { path: `^${folder}/` } : { path: `^${folder}/`, pathNot: `^${except}/` };
  const own = except === undefined ? [`^${folder}/`] : [`^${folder}/(?!${path.relative(folder, except)}/)`];
  // Of the sandbox's folder others may use all but the agent, which runs on the other side of the wall.
  const others = mayImport.map(name => (name === 'sandbox' ? '^sandbox/(?!agent/)' : `^${name}/`));
  const layered: IForbiddenRuleType = {
    name: `${folder} imports only what is below`,
    severity: 'error',
    from,
    to: { path: ours, pathNot: [...own, ...others] },
  };
  const apart: IForbiddenRuleType = {
    name: `${folder} does not know VS Code`,
    severity: 'error',
    from,
    to: { path: '^vscode$|/@types/vscode/' },
  };
  return vscode === true ? [layered] : [layered, apart];
}

function violationsOf(result: ICruiseResult): string[] {
  return result.summary.violations.map(({ from, to, rule }) => `${from} imports ${to}: ${rule.name}`).sort();
}
