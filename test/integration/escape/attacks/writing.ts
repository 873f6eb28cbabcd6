import type { Attack } from '../attack.ts';

const startFiles = [
  '.bashrc',
  '.profile',
  '.zshrc',
  '.config/autostart/evil.desktop',
  '.ssh/authorized_keys',
  '.config/systemd/user/evil.service',
  '.gitconfig',
  '.local/bin/ls',
];

const protectedInWorkspace: readonly (readonly [string, string])[] = [
  ['a git hook that exists', '.git/hooks/pre-commit'],
  ['a new git hook', '.git/hooks/post-checkout'],
  ['the git configuration', '.git/config'],
  ['the hooks of a nested repository', 'nested/.git/hooks/pre-commit'],
  ['from where git takes its configuration', '.git/commondir'],
  ['where a nested repository takes its configuration from', 'nested/.git/commondir'],
  ['the index, which may name a submodule', '.git/index'],
  ['the configuration of a new submodule', '.git/modules/new/config'],
  ['commands of a rebase that waits', '.git/rebase-merge/git-rebase-todo'],
  ['where git finds more objects', '.git/objects/info/alternates'],
  ['editor settings', '.vscode/settings.json'],
  ['a new editor task', '.vscode/tasks.json'],
  ['a code-workspace file', 'project.code-workspace'],
  ['a new continuous-integration workflow', '.github/workflows/evil.yml'],
  ['agent instructions', 'AGENTS.md'],
  ['new agent instructions', 'CLAUDE.md'],
  ['package scripts', 'package.json'],
  ['a new folder of agent settings', '.claude/settings.json'],
  ['a new MCP configuration', '.mcp.json'],
  ['the settings of a package manager', '.npmrc'],
  ['the settings of a build', '.cargo/config.toml'],
];

export const writingAttacks: readonly Attack[] = [
  ...startFiles.map((file): Attack => ({
    name: `write ~/${file}`,
    script: `mkdir -p "$(dirname "$VICTIM_HOME/${file}")"; echo "$TOKEN" >> "$VICTIM_HOME/${file}"`,
    proof: { file: `VICTIM_HOME/${file}` },
  })),
  ...protectedInWorkspace.map(([what, file]): Attack => ({
    name: `write ${what} (${file}) where the workspace is writable`,
    script: `mkdir -p "$(dirname "${file}")"; echo "$TOKEN" >> "${file}"`,
    proof: { file: `WORKSPACE/${file}` },
  })),
  {
    name: 'write beside the workspace',
    script: 'echo "$TOKEN" > "$OUTSIDE/new.txt"',
    proof: { file: 'OUTSIDE/new.txt' },
  },
  {
    name: 'change a file beside the workspace',
    script: 'echo "$TOKEN" > ../outside/file.txt',
    proof: { changed: 'OUTSIDE/file.txt' },
  },
  {
    name: 'delete a file beside the workspace',
    script: 'rm -f "$OUTSIDE/file.txt"',
    proof: { changed: 'OUTSIDE/file.txt' },
  },
  {
    name: 'write outside through a symlink',
    script: 'echo "$TOKEN" > link-out/new.txt',
    proof: { file: 'OUTSIDE/new.txt' },
  },
  {
    name: 'write outside through /proc/self/root',
    script: 'echo "$TOKEN" > "/proc/self/root$OUTSIDE/new.txt"',
    proof: { file: 'OUTSIDE/new.txt' },
  },
  {
    name: 'move a workspace file outside',
    script: 'mv README.md "$OUTSIDE/new.txt"',
    proof: { file: 'OUTSIDE/new.txt' },
  },
  {
    name: 'write the workspace where it is read-only',
    script: 'echo "$TOKEN" > new.txt',
    proof: { file: 'WORKSPACE/new.txt' },
    view: 'readOnly',
  },
  {
    name: 'delete from the workspace where it is read-only',
    script: 'rm -rf README.md',
    proof: { changed: 'WORKSPACE/README.md' },
    view: 'readOnly',
  },
  {
    name: 'write the workspace by remounting it',
    script: 'mount -o remount,rw,bind "$WORKSPACE"; echo "$TOKEN" > new.txt',
    proof: { file: 'WORKSPACE/new.txt' },
    view: 'readOnly',
  },
  {
    name: 'write the real workspace from a copy-on-write view',
    script: 'echo "$TOKEN" > new.txt; echo "$TOKEN" > .git/hooks/pre-commit',
    proof: { file: 'WORKSPACE/new.txt' },
    view: 'overlay',
  },
  {
    name: 'delete the real workspace from a copy-on-write view',
    script: 'rm -rf README.md .git',
    proof: { changed: 'WORKSPACE/README.md' },
    view: 'overlay',
  },
  {
    name: 'write outside from a copy-on-write view',
    script: 'echo "$TOKEN" > "$OUTSIDE/new.txt"',
    proof: { file: 'OUTSIDE/new.txt' },
    view: 'overlay',
  },
  {
    name: 'replace .git by renaming it away',
    script: 'mv .git old; mkdir -p .git/hooks; echo "$TOKEN" > .git/hooks/pre-commit',
    proof: { file: 'WORKSPACE/.git/hooks/pre-commit' },
  },
  {
    name: 'replace the hooks folder by another',
    script: 'rm -rf .git/hooks; mkdir -p .git/hooks; echo "$TOKEN" > .git/hooks/pre-commit',
    proof: { file: 'WORKSPACE/.git/hooks/pre-commit' },
  },
  {
    name: 'replace .vscode by a symlink',
    script: 'rm -rf .vscode; mkdir evil; echo "$TOKEN" > evil/tasks.json; ln -s evil .vscode',
    proof: { file: 'WORKSPACE/.vscode/tasks.json' },
  },
  {
    name: 'replace .github by renaming it away',
    script: 'mv .github old; mkdir -p .github/workflows; echo "$TOKEN" > .github/workflows/x.yml',
    proof: { file: 'WORKSPACE/.github/workflows/x.yml' },
  },
  {
    name: 'replace package.json by renaming over it',
    script: 'echo "$TOKEN" > x; mv -f x package.json',
    proof: { file: 'WORKSPACE/package.json' },
  },
  {
    name: 'write a daemon that writes after the command has ended',
    script: '(setsid sh -c "sleep 0.3; echo $TOKEN > $WORKSPACE/late.txt" >/dev/null 2>&1 &)',
    proof: { file: 'WORKSPACE/late.txt' },
  },
  {
    name: 'leave a double-forked process behind',
    script: `/usr/bin/python3 -c 'import os,time
if os.fork()==0:
  os.setsid()
  if os.fork()==0:
    os.close(0);os.close(1);os.close(2)
    time.sleep(0.3);open(os.environ["WORKSPACE"]+"/late.txt","w").write(os.environ["TOKEN"])'`,
    proof: { file: 'WORKSPACE/late.txt' },
  },
  {
    name: 'leave a process behind that ignores signals',
    script:
      'nohup sh -c "trap : TERM HUP INT; sleep 0.3; echo $TOKEN > $WORKSPACE/late.txt" >/dev/null 2>&1 &',
    proof: { file: 'WORKSPACE/late.txt' },
  },
  {
    name: 'write into system directories',
    script: 'f=/usr/local/share/cordon-test-$TOKEN; { : > $f; } && echo ESCAPED; rm -f $f',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'write into /etc',
    script: 'f=/etc/cordon-test-$TOKEN; { : > $f; } && cp $f $f.2 && echo ESCAPED; rm -f $f $f.2',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: 'schedule a job',
    script: 'f=/var/spool/cron-test-$TOKEN; { : > $f; } && echo ESCAPED; rm -f $f',
    proof: 'saysSo',
    needsRoot: true,
  },
  {
    name: "open the kernel's core pattern for writing",
    script: '{ : >> /proc/sys/kernel/core_pattern; } && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
];
