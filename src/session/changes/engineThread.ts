import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { engineMethods } from './engineMethods.ts';
import type { CopyEngine, CopyEngineOptions } from './copyEngine.ts';
import { answerCalls, callsTo } from './overThreads.ts';

/** What the engine's thread is given: plain data, and a port on which it asks for the view to be refreshed. */
export type EngineTask = Omit<CopyEngineOptions, 'refresh'> & { readonly refreshPort?: MessagePort };

/** What an engine's thread may ask of the broker's. */
export const viewMethods = ['refresh'] as const;

/** The engine of a copy, as it is called on the thread of its own. `program`: dist/changes-worker.cjs. */
export function engineThread(
  program: string,
  { refresh, ...options }: CopyEngineOptions,
): { engine: Pick<CopyEngine, (typeof engineMethods)[number]>; worker: Worker } {
  const { port1, port2 } = new MessageChannel();
  const task: EngineTask = { ...options, ...(refresh === undefined ? {} : { refreshPort: port2 }) };
  const worker = new Worker(program, {
    workerData: task,
    ...(refresh === undefined ? {} : { transferList: [port2] }),
  });
  if (refresh !== undefined) answerCalls(port1, { refresh }, viewMethods);
  // It alone keeps nothing running.
  port1.unref();
  return { engine: callsTo(worker, engineMethods), worker };
}
