import { Worker } from 'node:worker_threads';
import { callsTo } from './overThreads.ts';
import type { TrashCan, TrashPlaces } from './trashCan.ts';
import { trashMethods } from './trashMethods.ts';
import type { TrashTask } from './worker.ts';

/** The trash of all workspaces, on a thread of its own that ends with it. */
export interface OpenTrashCan extends Pick<TrashCan, (typeof trashMethods)[number]>, AsyncDisposable {}

/** `worker`: dist/changes-worker.cjs. */
export function openTrashCan(places: TrashPlaces, worker: string): OpenTrashCan {
  const task: TrashTask = { kind: 'trash', ...places };
  const thread = new Worker(worker, { workerData: task });
  const calls = callsTo<Pick<TrashCan, (typeof trashMethods)[number]>>(thread, trashMethods);
  return {
    ...calls,
    async [Symbol.asyncDispose]() {
      await thread.terminate();
    },
  };
}
