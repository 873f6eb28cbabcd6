/**
 * Whether a file of the workspace with this name is kept from everything in the sandbox until the user allows it by
 * name: environment files, private keys, key stores. Judged by name only, so that the answer never depends on reading.
 */
export function isSecretFile(name: string): boolean {
  return secretNames.some(pattern => pattern.test(name)) && !openNames.some(pattern => pattern.test(name));
}

export const secretNames = [
  /^\.env/i,
  /\.pem$/i,
  /\.key$/i,
  // Private keys carry no extension; `id_map.ts` is a source file.
  /^id_[a-z0-9_-]+$/i,
  /^id_(rsa|dsa|ecdsa|ed25519|xmss)/i,
  /\.(p12|pfx|jks|keystore|ppk|kdbx)$/i,
  /^\.(git-credentials|netrc|pgpass)$/,
];

export const openNames = [/^\.env\.(example|sample|template)$/i, /\.pub$/i];

/** The same in git's words, roughly: `git add .` passes over hidden files instead of failing at them. */
export const ignoredSecrets = [
  ['.env*', '!.env.example', '!.env.sample', '!.env.template', '*.pem', '*.key'],
  ['id_rsa*', 'id_dsa*', 'id_ecdsa*', 'id_ed25519*', '!id_*.pub'],
  ['*.p12', '*.pfx', '*.jks', '*.keystore', '*.ppk', '*.kdbx', '.git-credentials', '.netrc', '.pgpass'],
  '',
]
  .flat()
  .join('\n');

/** Folders whose `*.pem` and `*.key` are public by nature: packages from a registry, and the certificates in them. */
export const foldersOfPackages: ReadonlySet<string> = new Set(['node_modules', 'site-packages']);

/** Below HOME: never visible in a sandbox, whatever is configured. */
export const credentialPaths: readonly string[] = [
  '.ssh',
  '.aws',
  '.gnupg',
  '.git-credentials',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '.pgpass',
  '.my.cnf',
  '.docker',
  '.kube',
  '.azure',
  '.oci',
  '.terraform.d',
  '.vault-token',
  '.password-store',
  '.config/gh',
  '.config/glab-cli',
  '.config/gcloud',
  '.config/git/credentials',
  '.config/hub',
  '.config/op',
  '.config/rclone',
  '.config/sops',
  '.config/containers',
  '.config/google-chrome',
  '.config/chromium',
  '.config/BraveSoftware',
  '.config/microsoft-edge',
  '.config/Code',
  '.mozilla',
  '.thunderbird',
  '.local/share/keyrings',
  '.local/share/kwalletd',
  '.local/share/cordon',
  '.local/state/cordon',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.gem/credentials',
  '.m2/settings.xml',
  '.m2/settings-security.xml',
  '.gradle/gradle.properties',
  '.pulumi/credentials.json',
  '.foundry/keystores',
  '.local/share/uv/credentials',
  '.condarc',
];
