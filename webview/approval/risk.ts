/** From here on a request needs a distinct gesture: pressing an allowing button twice, the second time armed anew. */
export const highRisk = 70;

export interface RiskLevel {
  readonly level: 'low' | 'medium' | 'high';
  readonly words: string;
}

/** Risk (0–100) in words; colour only repeats them. */
export function riskLevel(risk: number): RiskLevel {
  if (risk >= highRisk) return { level: 'high', words: 'High risk' };
  return risk >= 30 ? { level: 'medium', words: 'Medium risk' } : { level: 'low', words: 'Low risk' };
}
