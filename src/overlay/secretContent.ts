import type { lintSource } from '@secretlint/core';

/**
 * Whether a text holds something with the form of a key, as secretlint knows them: private keys, and the tokens of well
 * known services. Returns what it looks like, as the end of a sentence about the text; undefined when it finds nothing,
 * which proves nothing. Rules are loaded with the first call; 1 MB takes about 10 ms.
 */
export async function secretIn(text: string): Promise<string | undefined> {
  const { lintSource: lint } = await import('@secretlint/core');
  const source = { filePath: 'text', content: text, ext: '', contentType: 'text' } as const;
  const { messages } = await lint({
    source,
    options: { config: await rules(), noPhysicFilePath: true, maskSecrets: true },
  });
  const [first] = messages;
  if (first === undefined) return undefined;
  return first.ruleParentId === undefined && first.ruleId === patternRule
    ? 'holds a private key'
    : `holds what looks like a key (${kindOf(first.ruleId)})`;
}

const patternRule = '@secretlint/secretlint-rule-pattern';

type Rules = Parameters<typeof lintSource>[0]['options']['config'];

let config: Promise<Rules> | undefined;

function rules(): Promise<Rules> {
  config ??= load();
  return config;
}

async function load(): Promise<Rules> {
  const [{ creator: recommended }, { creator: pattern }] = await Promise.all([
    import('@secretlint/secretlint-rule-preset-recommend'),
    import('@secretlint/secretlint-rule-pattern'),
  ]);
  return {
    rules: [
      // The form of any key in PEM; the recommended rules know RSA only.
      {
        id: patternRule,
        rule: pattern,
        options: {
          patterns: [{ name: 'private key', pattern: String.raw`/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/` }],
        },
      },
      { id: '@secretlint/secretlint-rule-preset-recommend', rule: recommended },
    ],
  };
}

/** `@secretlint/secretlint-rule-aws` → `aws`. */
function kindOf(ruleId: string): string {
  return ruleId.replace(/^.*secretlint-rule-/, '');
}
