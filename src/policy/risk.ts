import type { Finding } from './finding.ts';

/**
 * One number from what was found: the gravest finding counts whole, each further kind of finding adds a little, and
 * only what is denied reaches 100. Nothing found is 0.
 */
export function riskOf(findings: readonly Finding[]): number {
  const byCode = new Map<string, number>();
  for (const { code, risk } of findings) byCode.set(code, Math.max(byCode.get(code) ?? 0, risk));
  const [gravest = 0, ...others] = [...byCode.values()].sort((a, b) => b - a);
  if (findings.some(finding => finding.verdict === 'deny' && finding.risk === 100)) return 100;
  return Math.min(99, gravest + Math.round(others.reduce((sum, risk) => sum + risk, 0) / 10));
}
