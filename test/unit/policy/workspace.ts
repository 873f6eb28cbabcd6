import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadPolicy } from '../../../src/policy/loadPolicy.ts';
import type { PolicyOptions } from '../../../src/policy/loadPolicy.ts';
import type { Decision } from '../../../src/protocol/decision.ts';

/** A small project on disk with what tempts: secrets, keys, links that lead out. */
export class Workspace implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-policy-')));
  readonly folder = join(this.root, 'home', 'user', 'project');
  readonly home = join(this.root, 'home', 'user');

  constructor(more: Readonly<Record<string, string>> = {}) {
    const files: Readonly<Record<string, string>> = {
      'README.md': '# Project\n',
      'package.json': '{"name":"project"}\n',
      'src/a.ts': 'export const a = 1;\n',
      'src/b.ts': '',
      'src/deep/c.ts': '',
      'src/index.ts': '',
      'log.txt': '',
      'docs/a.md': '',
      'test/a.test.ts': '',
      'lib/x.js': '',
      'a.txt': 'a\n',
      'b.txt': 'b\n',
      'data.csv': '1,2\n',
      'index.ts': '',
      '.gitignore': 'node_modules\n',
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/config': '[core]\n\tbare = false\n',
      'node_modules/x/key.pem': '',
      'secrets/.env': 'KEY=1\n',
      'secrets/server.pem': '',
      '.env': 'KEY=1\n',
      '.env.example': 'KEY=\n',
      'config/server.pem': '',
      ...more,
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
    writeFileSync(join(this.root, 'outside.txt'), 'secret\n');
    mkdirSync(join(this.folder, 'links'));
    symlinkSync(join(this.root, 'outside.txt'), join(this.folder, 'links', 'file-out'));
    symlinkSync(this.root, join(this.folder, 'links', 'folder-out'));
    symlinkSync('/etc', join(this.folder, 'etc-link'));
    symlinkSync('/etc/passwd', join(this.folder, 'passwd-link'));
    symlinkSync('src', join(this.folder, 's'));
    symlinkSync('../src', join(this.folder, 'links', 'folder-in'));
    symlinkSync('../.env', join(this.folder, 'links', 'secret'));
  }

  /** Decides one line as the default policy would, in the workspace. */
  decide(command: string, options: Partial<PolicyOptions> = {}, cwd = this.folder): Decision {
    return this.policy(options).policy.decide({ command, cwd });
  }

  policy(options: Partial<PolicyOptions> = {}): ReturnType<typeof loadPolicy> {
    return loadPolicy({ folders: [this.folder], home: this.home, settings: [], ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
