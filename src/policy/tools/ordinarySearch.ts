/** Words that someone looks for who looks for secrets. */
const tempting =
  /secret|token|passw|passphrase|pwd|key|cred|auth|api|aws|azure|gcp|stripe|private|begin|cert|login|bearer|oauth|jwt|dsn|conn|url|host|user|database|^db|_id\b/i;

/**
 * True when a search pattern can only find lines that hold some ordinary word, so that searching through a file with
 * secrets would not print them: every alternative has three letters or more that must be there, and none is about
 * credentials.
 */
export function isOrdinarySearch(pattern: string): boolean {
  if (pattern.length > 300 || tempting.test(pattern)) return false;
  // Groups and repetitions that may be empty would make their words optional.
  if (/[)}][?*{]|\\[)}]|\\[?{]|\(\?/.test(pattern)) return false;
  const withoutClasses = pattern
    .replaceAll(/\\./g, escaped =>
      /[a-zA-Z0-9|]/.test(escaped[1] ?? '') ? (escaped === '\\|' ? '|' : ' ') : ' ',
    )
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\w[?*]/g, ' ');
  return withoutClasses.split('|').every(alternative => /[A-Za-z]{3}/.test(alternative));
}
