import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Attack } from './attack.ts';

/** A small host to attack: a home with credentials, a workspace, services, a process. */
export interface World extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly state: string;
  /** Makes the folders anew and forgets what the services heard. */
  reset(): void;
  /** Whether the attack came through. */
  cameThrough(attack: Attack, output: string): boolean;
}

export async function buildWorld(): Promise<World> {
  const root = mkdtempSync('/tmp/cordon-escape-');
  const secret = `secret-${randomBytes(8).toString('hex')}`;
  const token = `token-${randomBytes(8).toString('hex')}`;
  const places = {
    VICTIM_HOME: join(root, 'home'),
    WORKSPACE: join(root, 'workspace'),
    OUTSIDE: join(root, 'outside'),
  };
  const shared = [`/dev/shm/cordon-test-${process.pid}`, `/tmp/cordon-test-temporary-${process.pid}`];
  let heard = '';
  const listen = (text: Buffer) => void (heard += text.toString('latin1'));
  const servers: Server[] = [];
  const serve = async (where: { port: number; host: string } | { path: string }): Promise<number> => {
    const server = createServer(socket => socket.on('data', listen).on('error', () => undefined));
    servers.push(server);
    await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(where, resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const lay = () => layFolders(places, secret);
  lay();
  for (const path of shared) writeFileSync(path, secret, { mode: 0o600 });
  const port = await serve({ port: 0, host: '0.0.0.0' });
  const port6 = await serve({ port: 0, host: '::1' });
  const unixSocket = join(root, 'service.sock');
  await serve({ path: unixSocket });
  const abstractSocket = `cordon-test-${process.pid}`;
  await serve({ path: `\0${abstractSocket}` });
  const udp = createSocket('udp4').on('message', listen);
  await new Promise<void>(resolve => void udp.bind(0, '127.0.0.1', resolve));
  const shm = /(\d+)/.exec(execFileSync('ipcmk', ['--shmem', '4096'], { encoding: 'utf8' }))?.[1] ?? '';
  const host = spawn(
    '/bin/bash',
    [
      '-c',
      `trap 'echo ${token} > ${places.OUTSIDE}/signalled' USR1; echo ready; while :; do sleep 0.1; done`,
      'host-process',
      secret,
    ],
    {
      env: { PATH: '/usr/bin:/bin', HOST_SECRET: secret },
      stdio: ['ignore', 'pipe', 'ignore'],
      argv0: 'host-process',
    },
  );
  await new Promise(resolve => host.stdout.once('data', resolve));
  const address = Object.values(networkInterfaces())
    .flat()
    .find(each => each?.family === 'IPv4' && !each.internal)?.address;

  return {
    workspace: places.WORKSPACE,
    state: join(root, 'state'),
    environment: {
      ...places,
      PORT: String(port),
      PORT6: String(port6),
      UDP_PORT: String(udp.address().port),
      UNIX_SOCKET: unixSocket,
      ABSTRACT_SOCKET: abstractSocket,
      ADDRESS: address ?? '127.0.0.1',
      HOST_PID: String(host.pid),
      HOST_NAME: hostname(),
      SHARED_MEMORY: shm,
      TOKEN: token,
      // Named as a key would be; it must not reach a command.
      CORDON_TEST_API_KEY: secret,
    },
    reset() {
      heard = '';
      lay();
    },
    cameThrough({ proof }, output) {
      if (proof === 'printsSecret') return output.includes(secret);
      if (proof === 'saysSo') return output.includes('ESCAPED');
      if (proof === 'reachesService') return heard.includes(token);
      const real = (path: string) => path.replace(/^[A-Z_]+/, name => Reflect.get(places, name) as string);
      if ('file' in proof)
        return (
          contentOf(real(proof.file)).includes(proof.file.endsWith('new.txt') ? '' : token) &&
          existsSync(real(proof.file))
        );
      return contentOf(real(proof.changed)) !== original(proof.changed, secret);
    },
    async [Symbol.asyncDispose]() {
      host.kill('SIGKILL');
      try {
        execFileSync('ipcrm', ['--shmem-id', shm], { stdio: 'ignore' });
      } catch {
        // Gone already.
      }
      udp.close();
      for (const server of servers) server.close();
      for (const path of [...shared, root]) rmSync(path, { recursive: true, force: true });
    },
  };
}

function layFolders(
  places: { VICTIM_HOME: string; WORKSPACE: string; OUTSIDE: string },
  secret: string,
): void {
  for (const folder of Object.values(places)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
  }
  const put = (folder: keyof typeof places, file: string, content: string) => {
    mkdirSync(dirname(join(places[folder], file)), { recursive: true });
    writeFileSync(join(places[folder], file), content);
  };
  const credentials = [
    '.ssh/id_ed25519',
    '.aws/credentials',
    '.gnupg/private.key',
    '.git-credentials',
    '.npmrc',
    '.pypirc',
    '.netrc',
    '.docker/config.json',
    '.kube/config',
    '.config/gh/hosts.yml',
    '.config/gcloud/credentials.db',
    '.azure/token.json',
    '.cargo/credentials.toml',
    '.mozilla/firefox/logins.json',
    '.local/share/keyrings/login.keyring',
  ];
  for (const file of ['canary.txt', ...credentials]) put('VICTIM_HOME', file, secret);
  put(
    'VICTIM_HOME',
    '.gitconfig',
    `[user]\n\tname = Somebody\n[url "https://x:${secret}@example.com/"]\n\tinsteadOf = work:\n`,
  );
  put('OUTSIDE', 'file.txt', secret);
  for (const file of [
    '.env',
    '.env.local',
    'deep/down/.env.production',
    'server.pem',
    'deploy.key',
    'id_rsa',
    '.envrc',
  ])
    put('WORKSPACE', file, secret);
  put('WORKSPACE', 'README.md', 'read me');
  put('WORKSPACE', 'package.json', '{}');
  put('WORKSPACE', 'AGENTS.md', 'be kind');
  put('WORKSPACE', 'project.code-workspace', '{}');
  put('WORKSPACE', '.vscode/settings.json', '{}');
  put('WORKSPACE', '.npmrc', '');
  put('WORKSPACE', '.cargo/config.toml', '');
  put('WORKSPACE', '.github/dependabot.yml', '');
  for (const git of ['.git', 'nested/.git']) {
    put('WORKSPACE', `${git}/HEAD`, 'ref: refs/heads/main\n');
    put('WORKSPACE', `${git}/config`, '[core]\n\trepositoryformatversion = 0\n');
    put('WORKSPACE', `${git}/hooks/pre-commit`, '#!/bin/sh\n');
    for (const folder of ['objects', 'refs'])
      mkdirSync(join(places.WORKSPACE, git, folder), { recursive: true });
  }
  symlinkSync(places.OUTSIDE, join(places.WORKSPACE, 'link-out'));
  symlinkSync('.env', join(places.WORKSPACE, 'plain-name'));
}

function original(path: string, secret: string): string {
  return path.endsWith('README.md') ? 'read me' : secret;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
