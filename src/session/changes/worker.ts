import { parentPort, workerData } from 'node:worker_threads';
import { engineMethods } from './engineMethods.ts';
import { OverlayEngine, type OverlayEngineOptions } from './overlayEngine.ts';
import { answerCalls } from './overThreads.ts';

// The thread on which a conversation's changes are read and applied: bundled as dist/changes-worker.cjs. Its data comes
// from the broker's own process.

if (parentPort === null) throw new Error('This is a worker, not a program.');
answerCalls(parentPort, new OverlayEngine(workerData as OverlayEngineOptions), engineMethods);
