import type { ToolTable } from '../table.ts';
import { changeTools } from './changes.ts';
import { configurationTools } from './configuration.ts';
import { historyTools } from './history.ts';
import { listingTools } from './listings.ts';
import { refTools } from './refs.ts';
import { trackedFileTools } from './trackedFiles.ts';

/** Reading forms of git. Settings that the repository brings and that would run something are looked for each time. */
export const gitTools: readonly ToolTable[] = [
  ...changeTools,
  ...historyTools,
  ...trackedFileTools,
  ...refTools,
  ...listingTools,
  ...configurationTools,
];
