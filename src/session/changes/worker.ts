import { parentPort, workerData } from 'node:worker_threads';
import { engineMethods } from './engineMethods.ts';
import { type EngineTask, viewMethods } from './engineThread.ts';
import { CopyEngine, type CopyEngineOptions } from './copyEngine.ts';
import { answerCalls, callsTo } from './overThreads.ts';
import { TrashCan, type TrashPlaces } from './trashCan.ts';
import { trashMethods } from './trashMethods.ts';

// The thread on which a conversation's changes are read and applied, or the trash is: bundled as
// dist/changes-worker.cjs. Its data comes from the broker's own process.

/** The trash alone, of whatever conversation. */
export type TrashTask = TrashPlaces & { readonly kind: 'trash' };

if (parentPort === null) throw new Error('This is a worker, not a program.');
const task = workerData as EngineTask | TrashTask;
if ('kind' in task) answerCalls(parentPort, new TrashCan(task), trashMethods);
else answerCalls(parentPort, new CopyEngine(optionsOf(task)), engineMethods);

function optionsOf({ refreshPort, ...options }: EngineTask): CopyEngineOptions {
  if (refreshPort === undefined) return options;
  return { ...options, ...callsTo<Pick<CopyEngineOptions, 'refresh'>>(refreshPort, viewMethods) };
}
