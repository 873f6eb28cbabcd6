import { visibleText } from '../base/visibleText.ts';

/** Text of the agent's or the repository's for a label of VS Code's: what is hidden shows, `$(name)` is no icon. */
export function plainLabel(text: string): string {
  return visibleText(text).replaceAll('$(', '$\u200B(');
}
