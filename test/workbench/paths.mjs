import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. (Node 20 before 20.11 has no import.meta.dirname, so it is worked out.) */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Everything these scripts keep: the workbench, the packaged extension, the sample, screenshots. Safe to delete. */
export const cache = path.join(root, '.vscode-test');
