import { expect, test } from 'vitest';
import { WaitingChanges } from '../../../../src/host/review/waitingChanges.ts';
import type {
  ChangedPath,
  FolderReview,
  ReviewedChange,
} from '../../../../src/session/changes/changesEngine.ts';
import type { WorkingCopy } from '../../../../src/session/changes/workingCopy.ts';

test('many wishes to look are few looks, and each is answered by one that began after it', async () => {
  const scene = new Scene();
  using waiting = scene.waiting;
  const first = waiting.refresh();
  scene.changes = [change('a')];
  await Promise.all([first, waiting.refresh(), waiting.refresh(), waiting.refresh()]);
  expect([waiting.changes.map(({ path }) => path), scene.looks]).toEqual([['a'], 2]);
});

test('another conversation shows nothing of the one before, nor lists its outputs', async () => {
  const scene = new Scene();
  using waiting = scene.waiting;
  scene.changes = [change('a')];
  await waiting.refresh();
  await waiting.include([{ folder: '/w', path: 'dist' }]);
  expect(scene.included).toEqual([{ folder: '/w', path: 'dist' }]);
  scene.shown = 'c2';
  await waiting.refresh();
  expect([waiting.changes, waiting.included]).toEqual([[], []]);
});

test('a copy that cannot be opened lists nothing, and the log says why', async () => {
  const scene = new Scene();
  using waiting = scene.waiting;
  scene.changes = [change('a')];
  await waiting.refresh();
  scene.problem = new Error('no namespaces');
  await waiting.refresh();
  expect([waiting.totals.files, scene.logged]).toEqual([0, ['The changes cannot be listed: no namespaces']]);
});

test('what waits is counted by files, with the lines and what is protected', async () => {
  const scene = new Scene();
  using waiting = scene.waiting;
  scene.changes = [
    { ...change('docs'), kind: 'added', was: null, is: 'directory' },
    { ...change('docs/a'), kind: 'added', was: null, added: 3, removed: 0 },
    { ...change('docs/b'), kind: 'added', was: null, added: 9, removed: 0, renamed: 'b' },
    { ...change('package.json'), added: 1, removed: 2, protectedBecause: 'holds scripts' },
  ];
  await waiting.refresh();
  expect(waiting.totals).toEqual({ files: 3, added: 4, removed: 2, protected: 1 });
});

class Scene {
  shown = 'c1';
  changes: ReviewedChange[] = [];
  problem: Error | undefined;
  looks = 0;
  included: readonly ChangedPath[] = [];
  readonly logged: string[] = [];
  readonly waiting = new WaitingChanges({
    conversationId: () => this.shown,
    copyOf: async id => {
      if (this.problem) throw this.problem;
      return id === 'c1' ? copyWith(include => this.#look(include)) : undefined;
    },
    log: { info() {}, warn: text => this.logged.push(text), error() {} },
  });

  async #look(include: readonly ChangedPath[]): Promise<FolderReview[]> {
    this.looks += 1;
    this.included = include;
    const { changes } = this;
    await new Promise(resolve => setTimeout(resolve, 5));
    return [{ folder: '/w', changes, groups: [] }];
  }
}

function copyWith(review: (include: readonly ChangedPath[]) => Promise<FolderReview[]>): WorkingCopy {
  return { kind: 'overlay', changes: { review } } as unknown as WorkingCopy;
}

function change(path: string): ReviewedChange {
  return {
    folder: '/w',
    path,
    kind: 'modified',
    was: 'file',
    is: 'file',
    binary: false,
    version: '1',
  };
}
