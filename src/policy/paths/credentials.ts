/**
 * Names that hold credentials wherever they are. Compared without regard to case, because on macOS and Windows
 * `.ENV` opens `.env`. An entry matches one component of a path.
 */
const files: readonly RegExp[] = [
  /^\.env(?!\.example$).*$/,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)$/,
  // Key files of ssh; a source file such as id_map.ts is none.
  /^id_[^.]*(?:\.(?:pub|bak|old|orig|txt))?$/,
  /^\.(?:npmrc|pypirc|netrc|git-credentials|pgpass|my\.cnf|htpasswd|dockercfg|vault-token|s3cfg|boto)$/,
  /^_netrc$/,
  /^credentials(?:\.json|\.toml|\.xml|\.csv)?$/,
  /^(?:secrets?\.(?:ya?ml|json|toml|env)|service[-_]account.*\.json|.*\.tfstate(?:\.backup)?|.*\.tfvars)$/,
  /^\.(?:bash|zsh|sh|python|node_repl|psql|mysql|rediscli|sqlite)_?history$/,
];

/** Folders whose whole content is a credential. */
const folders: readonly RegExp[] = [
  /^\.(?:ssh|aws|gnupg|kube|azure|docker|password-store|mozilla)$/,
  /^keyrings$/,
];

/** Two components in a row. */
const pairs: readonly (readonly [string, string])[] = [
  ['.config', 'gh'],
  ['.config', 'gcloud'],
  ['.config', 'op'],
  ['.config', 'google-chrome'],
  ['.config', 'chromium'],
];

/** The credential that a path leads to, as the component that says so; undefined when it leads to none. */
export function credentialIn(components: readonly string[]): string | undefined {
  let before = '';
  for (const component of components) {
    const name = component.toLowerCase();
    if (isCredentialName(name)) return component;
    if (pairs.some(([a, b]) => a === before && b === name)) return component;
    before = name;
  }
  return undefined;
}

/** True when this one name (a file's or a folder's) holds credentials wherever it is. */
export function isCredentialName(component: string): boolean {
  const name = component.toLowerCase();
  return files.some(pattern => pattern.test(name)) || folders.some(pattern => pattern.test(name));
}
