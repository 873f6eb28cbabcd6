import { Worker } from 'node:worker_threads';
import { engineMethods } from './engineMethods.ts';
import type { OverlayEngine, OverlayEngineOptions } from './overlayEngine.ts';
import { callsTo } from './overThreads.ts';

/** The engine of a copy, as it is called on the thread of its own. `program`: dist/changes-worker.cjs. */
export function engineThread(
  program: string,
  options: OverlayEngineOptions,
): { engine: Pick<OverlayEngine, (typeof engineMethods)[number]>; worker: Worker } {
  const worker = new Worker(program, { workerData: options });
  return { engine: callsTo(worker, engineMethods), worker };
}
