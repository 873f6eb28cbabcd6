import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { backTest } from '../../../src/policy/backTest.ts';
import { explain } from '../../../src/policy/explain.ts';
import { loadPolicy } from '../../../src/policy/loadPolicy.ts';
import type { RuleSettings } from '../../../src/policy/policy.ts';
import { parsePattern, patternOf } from '../../../src/policy/rules/pattern.ts';
import { Workspace } from './workspace.ts';

const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

const user = (value: unknown): RuleSettings => ({ source: 'user', value });
const decide = (command: string, ...settings: RuleSettings[]) =>
  workspace.decide(command, { settings }).decision;

describe('patterns', () => {
  const rules = user({
    'npm test **': 'allow',
    'npm run *': 'allow',
    "echo '*' > x": 'allow',
    'make "a b"': 'allow',
    touch: 'allow',
  });

  test.each([
    ['npm test', 'allow'],
    ['npm test --watch a', 'allow'],
    ['npm run build', 'allow'],
    ['npm run', 'allow'],
    ['npm run a b', 'ask'],
    ['npm install', 'ask'],
    ['"npm" te\'st\' x', 'allow'],
    ['make "a b"', 'allow'],
    ['make a b', 'ask'],
    ['touch', 'allow'],
    ['touch x', 'ask'],
    ['npm testx', 'ask'],
    ['xnpm test', 'ask'],
    ['npm test && npm run build', 'allow'],
    ['npm test && npm install', 'ask'],
    ['npm test | tee x', 'ask'],
    ['npm test > x', 'ask'],
    ['npm test &', 'ask'],
    ['npm test $(rm x)', 'ask'],
    ['npm test "$x"', 'ask'],
    ['npm test $HOME/a', 'allow'],
    ['npm test src/*.ts', 'allow'],
    ['npm test *', 'ask'],
    ['FOO=1 npm test', 'ask'],
    ['CI=1 npm test', 'allow'],
    ['NODE_OPTIONS=x npm test', 'ask'],
    ['timeout 60 npm test', 'allow'],
    ['bash -c "npm test"', 'allow'],
    ['env npm test', 'allow'],
    ['sudo npm test', 'ask'],
    ['cd src && npm test', 'allow'],
    ['cd / && npm test', 'ask'],
    ['npm() { :; }; npm test', 'ask'],
    ['./npm test', 'ask'],
  ])('%s: %s', (command, decision) => {
    expect(decide(command, rules)).toBe(decision);
  });

  test('one that cannot be read is named, counts for nothing, and the others still do', () => {
    const { problems, policy } = workspace.policy({
      settings: [
        user({
          'a*b c': 'allow',
          '** x': 'allow',
          '* x': 'allow',
          '': 'allow',
          'x "y': 'allow',
          'npm test': 'yes',
          'npm run x': { decision: 'allow', more: 1 },
          'make all': 'allow',
        }),
      ],
    });
    expect(problems.map(({ pattern }) => pattern)).toEqual([
      'a*b c',
      '** x',
      '* x',
      '',
      'x "y',
      'npm test',
      'npm run x',
    ]);
    expect(
      ['aXb c', 'z x', 'npm test', 'npm run x'].map(
        command => policy.decide({ command, cwd: workspace.folder }).decision,
      ),
    ).toEqual(['ask', 'ask', 'ask', 'ask']);
    expect(policy.decide({ command: 'make all', cwd: workspace.folder }).decision).toBe('allow');
  });

  test('a prohibition that cannot be read makes its command asked, not allowed', () => {
    const { problems, policy } = workspace.policy({ settings: [user({ 'cat *.md': 'deny' })] });
    expect(problems).toHaveLength(1);
    expect(policy.decide({ command: 'cat README.md', cwd: workspace.folder }).decision).toBe('ask');
  });

  test.each([['not an object'], [['a']], [5], [true]])(
    'settings that are %j are a problem and no rule',
    value => {
      expect(workspace.policy({ settings: [user(value)] }).problems).toHaveLength(1);
    },
  );

  test('words written as a pattern match exactly those words again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), { minLength: 1, maxLength: 5 }),
        words => {
          const parsed = parsePattern(patternOf(words));
          expect(parsed).toEqual(words.map(text => ({ kind: 'word', text })));
        },
      ),
    );
  });
});

describe('the strictest rule wins', () => {
  test.each([
    [{ 'git push **': 'deny', 'git **': 'allow' }, 'git push origin', 'deny'],
    [{ 'git **': 'allow', 'git commit **': 'ask' }, 'git commit -m x', 'ask'],
    [{ 'git status': 'ask' }, 'git status', 'ask'],
    [{ 'cat **': 'deny' }, 'cat README.md', 'deny'],
    [{ 'cat **': 'deny' }, '/bin/cat README.md', 'deny'],
    [{ 'cat **': 'deny' }, 'timeout 1 cat README.md', 'deny'],
    [{ 'cat **': 'deny' }, 'find . -name x -exec cat {} +', 'deny'],
    [{ 'cat **': 'deny' }, 'ls | xargs cat', 'deny'],
    [{ 'git push **': 'deny' }, 'git -C src push', 'deny'],
    [{ 'git push **': 'deny' }, 'ls && git push', 'deny'],
    [{ 'git push **': 'deny' }, 'git $x', 'ask'],
    [{ 'git push **': 'deny' }, 'git "$x"', 'ask'],
    [{ 'cat x': 'deny' }, 'cat *', 'ask'],
    [{ 'git push': 'deny', 'git **': 'allow' }, 'git push', 'deny'],
  ])('%j: %s → %s', (value, command, decision) => {
    expect(decide(command, user(value))).toBe(decision);
  });

  test('over every scope: a workspace cannot loosen what the user or the organisation denies', () => {
    const workspaceRules: RuleSettings = { source: 'workspace', value: { 'make **': 'allow' } };
    expect(decide('make x', workspaceRules)).toBe('allow');
    expect(decide('make x', workspaceRules, user({ 'make x': 'deny' }))).toBe('deny');
    expect(decide('make x', workspaceRules, { source: 'organisation', value: { 'make **': 'ask' } })).toBe(
      'ask',
    );
    expect(workspace.decide('make x', { settings: [workspaceRules] }).reasons[0]).toEqual({
      code: 'rule.allow',
      message: 'Allowed by the rule `make **` (workspace).',
      span: [0, 6],
    });
  });
});

describe('what a wildcard grants', () => {
  test.each([
    [{ 'sort **': 'allow' }, 'sort -o x README.md', 'ask'],
    [{ 'sort -o x README.md': 'allow' }, 'sort -o x README.md', 'allow'],
    [{ 'cat **': 'allow' }, 'cat .env', 'ask'],
    [{ 'cat .env': 'allow' }, 'cat .env', 'allow'],
    [{ 'cat **': 'allow' }, 'cat /etc/hostname', 'allow'],
    [{ 'git log **': 'allow' }, 'git log --output=x', 'ask'],
    [{ 'find **': 'allow' }, 'find . -delete', 'ask'],
    [{ 'find **': 'allow' }, 'find . -exec rm {} +', 'ask'],
    [{ 'timeout **': 'allow' }, 'timeout 5 rm x', 'ask'],
    [{ 'timeout 5 make x': 'allow' }, 'timeout 5 make x', 'allow'],
    [{ 'env **': 'allow' }, 'env LD_PRELOAD=x ls', 'ask'],
    [{ 'rm **': 'allow' }, 'rm -rf /', 'deny'],
    [{ 'sudo **': 'allow' }, 'sudo rm -rf /', 'deny'],
    [{ 'rm **': 'allow' }, 'rm -rf dist', 'allow'],
  ])('%j: %s → %s', (value, command, decision) => {
    expect(decide(command, user(value))).toBe(decision);
  });
});

describe('structured rules', () => {
  test('say their reason', () => {
    const settings = [user({ 'make x': { decision: 'allow', reason: 'only builds' } })];
    expect(workspace.decide('make x', { settings }).reasons[0]?.message).toBe(
      'Allowed by the rule `make x` (user): only builds',
    );
  });

  test('with an example that does not hold do not count, and say which', () => {
    const settings = [
      user({
        'make **': { decision: 'allow', examples: { match: ['make a'], reject: ['make b'] } },
        'npm test': { decision: 'allow', examples: { match: ['npm run test'] } },
      }),
    ];
    const { policy, problems } = workspace.policy({ settings });
    expect(problems.map(({ message }) => message)).toEqual([
      'The example `make b` should not match and does; the rule does not count.',
      'The example `npm run test` should match and does not; the rule does not count.',
    ]);
    expect(policy.decide({ command: 'make a', cwd: workspace.folder }).decision).toBe('ask');
  });

  test('end: with the local day, after so many uses, with the branch; prohibitions do not', () => {
    const value = (expires: object, decision = 'allow') => [user({ 'make x': { decision, expires } })];
    const at = (text: string) => () => new Date(text).getTime();
    expect(
      workspace.decide('make x', { settings: value({ date: '2026-11-21' }), now: at('2026-11-21T23:59:59') })
        .decision,
    ).toBe('allow');
    expect(
      workspace.decide('make x', { settings: value({ date: '2026-11-21' }), now: at('2026-11-22T00:00:00') })
        .decision,
    ).toBe('ask');
    expect(workspace.decide('make x', { settings: value({ uses: 2 }), uses: () => 1 }).decision).toBe(
      'allow',
    );
    expect(workspace.decide('make x', { settings: value({ uses: 2 }), uses: () => 2 }).decision).toBe('ask');
    expect(workspace.decide('make x', { settings: value({ branch: 'a' }), branch: () => 'a' }).decision).toBe(
      'allow',
    );
    expect(workspace.decide('make x', { settings: value({ branch: 'a' }), branch: () => 'b' }).decision).toBe(
      'ask',
    );
    expect(workspace.decide('make x', { settings: value({ branch: 'a' }) }).decision).toBe('ask');
    expect(workspace.decide('make x', { settings: value({ date: '2020-01-01' }, 'deny') }).decision).toBe(
      'deny',
    );
  });
});

describe('modes', () => {
  const inMode = (mode: Parameters<Workspace['decide']>[1]) => (command: string) =>
    workspace.decide(command, mode).decision;
  test('locked denies everything', () => {
    expect(['ls', 'rm x', 'rm -rf /'].map(inMode({ mode: { kind: 'locked' } }))).toEqual([
      'deny',
      'deny',
      'deny',
    ]);
  });
  test('asking for everything allows nothing, and still denies', () => {
    expect(
      ['ls', 'rm x', 'rm -rf /'].map(inMode({ mode: { kind: 'sandboxed', asks: 'everything' } })),
    ).toEqual(['ask', 'ask', 'deny']);
  });
  test('contained asks only for what leaves the sandbox, is not understood, or a rule asks for', () => {
    const contained = inMode({
      mode: { kind: 'sandboxed', asks: 'leaving' },
      settings: [user({ 'make deploy': 'ask', 'make drop': 'deny' })],
    });
    expect(
      ['ls', 'npm install', 'rm x', 'python3 x.py > out.txt', 'for f in $x; do tool $f; done'].map(contained),
    ).toEqual(['allow', 'allow', 'allow', 'allow', 'allow']);
    expect(
      ['cat /etc/passwd', 'cat .env', 'ls > /etc/x', 'echo "', 'make deploy', 'sudo ls', 'curl http://x'].map(
        contained,
      ),
    ).toEqual(['ask', 'ask', 'ask', 'ask', 'ask', 'ask', 'ask']);
    expect(['rm -rf /', 'make drop', 'shutdown'].map(contained)).toEqual(['deny', 'deny', 'deny']);
  });
  test('unrestricted takes nothing to be masked', () => {
    expect(workspace.decide('grep -rn TODO .', { mode: { kind: 'unrestricted' } }).decision).toBe('ask');
    expect(workspace.decide('grep -rn TODO src', { mode: { kind: 'unrestricted' } }).decision).toBe('allow');
  });
});

describe('proposals', () => {
  const propose = (command: string, settings: RuleSettings[] = []) =>
    workspace
      .policy({ settings })
      .policy.propose({ command, cwd: workspace.folder })
      .map(({ pattern }) => pattern);
  test.each<[string, string[]]>([
    ['npm test', ['npm test', 'npm test **']],
    ['npm run build --x', ['npm run build --x', 'npm run build **']],
    ['npm run', []],
    ['git commit -m "a b"', ["git commit -m 'a b'", 'git commit **']],
    ['git push origin', ['git push origin']],
    ['cargo build', ['cargo build', 'cargo build **']],
    ['ls && make x', ['make x', 'make x **']],
    ['cat README.md | mytool --flag file', ['mytool --flag file', 'mytool --flag *']],
    ['ls', []],
    ['python3 x.py', []],
    ['bash x.sh', []],
    ['sudo ls', []],
    ['curl http://x', []],
    ['env ./x', ['./x']],
    ['rm -rf dist', []],
    ['node x.js', []],
    ['xargs make', []],
    ['ssh h', []],
    ['npx prettier .', ['npx prettier .']],
    ['python3.12 x', []],
    ['make x > out', []],
    ['make $x', []],
    ['rm -rf / && make x', []],
    ['make x; cat .env', []],
    ['sort -o x y', []],
    ['cat /etc/hostname', ['cat /etc/hostname']],
    ["make 'a*b'", ["make 'a*b'"]],
  ])('%s: %j', (command, patterns) => {
    expect(propose(command)).toEqual(patterns);
  });

  test('what is proposed cures what was asked', () => {
    for (const command of [
      'npm test',
      'git commit -m "a b"',
      "make 'a*b' \"it's\"",
      'mytool --flag file',
      'npx prettier .',
    ])
      for (const pattern of propose(command))
        expect([command, pattern, decide(command, user({ [pattern]: 'allow' }))]).toEqual([
          command,
          pattern,
          'allow',
        ]);
  });
});

describe('trying a rule on the past', () => {
  const past = [
    { command: 'make a', cwd: workspace.folder, answer: 'allowed' as const },
    { command: 'make a', cwd: workspace.folder, answer: 'allowed' as const },
    { command: 'make b', cwd: workspace.folder, answer: 'denied' as const },
    { command: 'ls', cwd: workspace.folder, answer: 'unasked' as const },
    { command: 'make b > x', cwd: workspace.folder, answer: 'denied' as const },
  ];
  const options = { folders: [workspace.folder], home: workspace.home, settings: [] };
  test('tells what it would have allowed, and what of that the user denied', () => {
    const result = backTest(options, { pattern: 'make **', verdict: 'allow', source: 'user' }, past);
    expect([
      result.allowed.map(each => each.command),
      result.allowedAgainstUser.map(each => each.command),
      result.summary,
    ]).toEqual([
      ['make a', 'make b'],
      ['make b'],
      'It would have allowed 2 of 4 past commands unasked, including 1 that you denied.',
    ]);
  });
  test('tells what a prohibition would have held back, and that a broken rule does nothing', () => {
    expect(backTest(options, { pattern: 'ls **', verdict: 'deny', source: 'user' }, past).summary).toBe(
      'It would have held back 1 of 4 past commands that ran unasked.',
    );
    expect(backTest(options, { pattern: '* x', verdict: 'allow', source: 'user' }, past).allowed).toEqual([]);
  });
});

test('an explanation marks the stretch and shows what does not show', () => {
  const command = 'cat READ\u200bME.md /etc/passwd';
  expect(explain(command, workspace.decide(command)).split('\n')).toEqual([
    'Asked (risk 65 of 100)',
    '- The line holds a character that does not show, or looks like a blank and is none. [parse.invisible]',
    '    cat READ»⟨U+200B⟩«ME.md /etc/passwd',
    '- This leads out of the workspace: /etc/passwd [path.outsideWorkspace]',
    '    cat READ⟨U+200B⟩ME.md »/etc/passwd«',
  ]);
});

describe('settings of the repository', () => {
  test.each([
    ['[core]\n\tfsmonitor = ./x\n', 'git status'],
    ['[diff]\n\texternal = ./x\n', 'git diff'],
    ['[diff "x"]\n\ttextconv = ./x\n', 'git log -p'],
    ['[include]\n\tpath = x\n', 'git status'],
    ['[core] fsmonitor = ./x\n', 'git status'],
    ['[CORE]\nFSMonitor="./x"\n', 'git status'],
    ['[core]\npager = ./x\n', 'git log'],
    ['[filter "x"]\nclean = ./x\n', 'git status'],
    ['[core]\nworktree = /\n', 'git status'],
    ['[remote "x"]\npromisor = true\n', 'git log'],
    ['[core]\nfsmon\\\nitor = ./x\n', 'git status'],
    ['[includeIf "gitdir:/"]\npath = x\n', 'git log'],
  ])('with %j, %s is asked', (config, command) => {
    using hostile = new Workspace({ '.git/config': config });
    expect(hostile.decide(command)).toMatchObject({
      decision: 'ask',
      reasons: [{ code: 'git.repositorySettings' }],
    });
    expect(hostile.decide(`cd src && ${command}`).decision).toBe('ask');
  });
  test('a bare repository in a sub-folder, and one that a file points to, are looked at too', () => {
    using hostile = new Workspace({
      'sub/HEAD': '',
      'sub/config': '[core]\nfsmonitor = ./x\n',
      'sub/objects/x': '',
      'sub/refs/x': '',
      'tree/.git': 'gitdir: ../sub\n',
    });
    expect([
      hostile.decide('git status').decision,
      hostile.decide('cd sub && git status').decision,
      hostile.decide('git -C tree status').decision,
    ]).toEqual(['allow', 'ask', 'ask']);
  });
  test('ordinary settings are no hindrance', () => {
    using plain = new Workspace({
      '.git/config':
        '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tfsmonitor = true\n[remote "origin"]\n\turl = x\n\tfetch = +refs/*\n[branch "main"]\n\tremote = origin\n[user]\n\tname = x\n[alias]\n\tst = status\n',
    });
    expect(plain.decide('git status').decision).toBe('allow');
  });
});

describe('catastrophes', () => {
  test.each<[string, string]>([
    ['a line of a megabyte', `echo ${'a'.repeat(1_000_000)}`],
    ['20,000 parentheses', '('.repeat(20_000)],
    ['20,000 nested substitutions', '$('.repeat(20_000)],
    ['quoted and nested', '"$('.repeat(4_000)],
    ['an open quote', `echo "${'x '.repeat(5_000)}`],
    ['16,000 pipes', 'ls|'.repeat(4_000)],
    ['many braces', `echo ${'{a,b}'.repeat(2_000)}`],
    ['many loops', 'for i in 1 2 3; do '.repeat(200) + 'ls; ' + 'done;'.repeat(200)],
    ['backticks', '`'.repeat(9_999)],
    ['a here-document without end', `cat <<E\n${'x\n'.repeat(5_000)}`],
    ['many variables', Array.from({ length: 1_500 }, (_, index) => `a${index}=x;`).join('')],
    ['4,000 wrappers', `${'env '.repeat(4_000)}ls`],
    ['8,000 operands', `cat ${'a '.repeat(8_000)}`],
    ['many stars', `ls ${'*/'.repeat(500)}`],
  ])('%s is asked', (_name, command) => {
    expect(workspace.decide(command).decision).toBe('ask');
  });
  test('what must be denied still is at the head of a line that is too long', () => {
    expect(workspace.decide(`rm -rf / #${'x'.repeat(100_000)}`).decision).toBe('deny');
  });
  test('nothing that can be typed makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), command => {
        expect(['allow', 'ask', 'deny']).toContain(workspace.decide(command).decision);
      }),
      { numRuns: 500 },
    );
  });
});

test('the working folder counts: in a folder that is not there, or outside, nothing relative is allowed', () => {
  mkdirSync(join(workspace.root, 'other'), { recursive: true });
  writeFileSync(join(workspace.root, 'other', 'x'), '');
  expect(
    ['/nowhere/at/all', join(workspace.root, 'other'), 'relative'].map(
      cwd => workspace.decide('cat x', {}, cwd).decision,
    ),
  ).toEqual(['ask', 'ask', 'ask']);
  expect(
    loadPolicy({ folders: [], home: '/home/x', settings: [] }).policy.decide({
      command: 'cat x',
      cwd: workspace.folder,
    }).decision,
  ).toBe('ask');
});
