import type { Attack } from '../attack.ts';

const credentialFiles = [
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

const secretFiles = [
  '.env',
  '.env.local',
  'deep/down/.env.production',
  'server.pem',
  'deploy.key',
  'id_rsa',
  '.envrc',
];

export const readingAttacks: readonly Attack[] = [
  ...credentialFiles.map((file): Attack => ({
    name: `read ~/${file}`,
    script: `cat "$VICTIM_HOME/${file}"`,
    proof: 'printsSecret',
  })),
  ...secretFiles.map((file): Attack => ({
    name: `read ${file} of the workspace`,
    script: `cat "$WORKSPACE/${file}"`,
    proof: 'printsSecret',
  })),
  { name: 'read a file in the home folder', script: 'cat "$VICTIM_HOME/canary.txt"', proof: 'printsSecret' },
  { name: 'read a file beside the workspace', script: 'cat "$OUTSIDE/file.txt"', proof: 'printsSecret' },
  {
    name: 'read beside the workspace by way of ..',
    script: 'cat ../outside/file.txt',
    proof: 'printsSecret',
  },
  {
    name: 'read outside through a new symlink',
    script: 'ln -s "$OUTSIDE" way; cat way/file.txt',
    proof: 'printsSecret',
  },
  {
    name: 'read outside through a symlink that the repository brought',
    script: 'cat link-out/file.txt',
    proof: 'printsSecret',
  },
  {
    name: 'read outside through a hard link',
    script: 'ln "$OUTSIDE/file.txt" hard && cat hard',
    proof: 'printsSecret',
  },
  {
    name: 'read outside through /proc/self/root',
    script: 'cat "/proc/self/root$OUTSIDE/file.txt"',
    proof: 'printsSecret',
  },
  {
    name: 'read outside through /proc/self/cwd',
    script: 'cat /proc/self/cwd/../outside/file.txt',
    proof: 'printsSecret',
  },
  {
    name: "read outside through a host process's root",
    script: 'cat "/proc/$HOST_PID/root$OUTSIDE/file.txt"',
    proof: 'printsSecret',
  },
  {
    name: "read outside through a parent process's root",
    script: 'cat "/proc/$PPID/root$OUTSIDE/file.txt"',
    proof: 'printsSecret',
  },
  {
    name: "read outside through the init process's root",
    script:
      'cat "/proc/1/root$OUTSIDE/file.txt" || cat "/proc/$PPID/cwd$OUTSIDE/file.txt"; cat "$OUTSIDE/file.txt"',
    proof: 'printsSecret',
  },
  {
    name: 'find the secret by searching the whole machine',
    script:
      'grep -rs --include=file.txt --include=canary.txt secret- /tmp /home /root /var /run /mnt 2>/dev/null',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file after its folder was renamed',
    script: 'mv deep other; cat other/down/.env.production',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file through a symlink inside the workspace',
    script: 'cat plain-name',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file through a hard link made now',
    script: 'ln .env visible; cat visible',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file after taking the right to',
    script: 'chmod 777 .env; cat .env',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file after moving it',
    script: 'mv .env visible; cat visible',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file by unmounting what hides it',
    script: 'umount .env; umount -l .env; cat .env',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file with python',
    script: `/usr/bin/python3 -c 'print(open(".env").read())'`,
    proof: 'printsSecret',
  },
  { name: 'pack hidden files into an archive', script: 'tar cf - . | tr -d "\\0"', proof: 'printsSecret' },
  {
    name: 'copy the workspace and read the copy',
    script: 'cp -rL . /tmp/copy-$$; cat /tmp/copy-$$/.env; rm -rf /tmp/copy-$$',
    proof: 'printsSecret',
  },
  {
    name: 'read a hidden file from new namespaces',
    script: 'unshare --user --map-root-user --mount sh -c "umount .env; cat .env"; cat .env',
    proof: 'printsSecret',
  },
  {
    name: "read the broker's environment",
    script: 'tr "\\0" "\\n" < /proc/$PPID/environ; tr "\\0" "\\n" < /proc/$HOST_PID/environ',
    proof: 'printsSecret',
  },
  { name: "read an environment variable of the broker's", script: 'env', proof: 'printsSecret' },
  {
    name: 'read the arguments of a host process',
    script: 'cat /proc/[0-9]*/cmdline | tr "\\0" " "',
    proof: 'printsSecret',
  },
  { name: "read the host's shared memory", script: 'cat /dev/shm/cordon-test-*', proof: 'printsSecret' },
  {
    name: "read the host's temporary files",
    script: 'cat /tmp/cordon-test-temporary-*',
    proof: 'printsSecret',
  },
  {
    name: 'read credentials from git settings',
    script: 'HOME=$VICTIM_HOME git config --global --list; git config --list',
    proof: 'printsSecret',
  },
  {
    name: 'read the password file',
    script: 'grep -q "^root:" /etc/shadow && echo ESCAPED',
    proof: 'saysSo',
    needsRoot: true,
  },
];
