import { Worker } from 'node:worker_threads';
import { engineMethods } from './engineMethods.ts';
import type { CopyEngine, CopyEngineOptions } from './copyEngine.ts';
import { callsTo } from './overThreads.ts';

/** The engine of a copy, as it is called on the thread of its own. `program`: dist/changes-worker.cjs. */
export function engineThread(
  program: string,
  options: CopyEngineOptions,
): { engine: Pick<CopyEngine, (typeof engineMethods)[number]>; worker: Worker } {
  const worker = new Worker(program, { workerData: options });
  return { engine: callsTo(worker, engineMethods), worker };
}
