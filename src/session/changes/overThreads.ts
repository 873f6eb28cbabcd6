import type { MessagePort } from 'node:worker_threads';
import * as z from 'zod';
import { CordonError, messageOf } from '../../base/errors.ts';

// Calls of plain data from one thread to another: what takes long and cannot wait happens there.

const Call = z.object({ id: z.number(), method: z.string(), args: z.array(z.unknown()) });
const Answer = z.discriminatedUnion('kind', [
  z.object({ id: z.number(), kind: z.literal('value'), value: z.unknown() }),
  z.object({
    id: z.number(),
    kind: z.literal('error'),
    code: z.string(),
    message: z.string(),
    remedy: z.string().optional(),
  }),
]);
type Answer = z.infer<typeof Answer>;

/** Answers the calls that arrive by calling these methods of `target`; nothing else of it can be called. */
export function answerCalls<T extends object>(
  port: MessagePort,
  target: T,
  methods: readonly (keyof T & string)[],
): void {
  port.on('message', (message: unknown) => {
    const { id, method, args } = Call.parse(message);
    void answer(target, methods, method, args).then(
      value => port.postMessage({ id, kind: 'value', value } satisfies Answer),
      (error: unknown) => port.postMessage({ id, ...described(error) } satisfies Answer),
    );
  });
}

async function answer<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  const name = methods.find(each => each === method);
  if (name === undefined) throw new TypeError(`There is no call "${method}".`);
  const called = target[name] as (...given: unknown[]) => Promise<unknown>;
  return await called.apply(target, [...args]);
}

function described(error: unknown) {
  if (!(error instanceof CordonError))
    return { kind: 'error', code: 'changes.failed', message: messageOf(error) } as const;
  const { code, message, remedy } = error;
  return { kind: 'error', code, message, ...(remedy === undefined ? {} : { remedy }) } as const;
}

/** A worker, or the end of a channel to another thread. */
interface FarEnd {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: string, listener: (error: unknown) => void): unknown;
  postMessage(message: unknown): void;
}

/** The other side: an object whose methods are done on the other thread. They reject when that is gone. */
export function callsTo<T extends object>(far: FarEnd, methods: readonly (keyof T & string)[]): T {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  let end: Error | undefined;
  far.on('message', message => {
    const said = Answer.parse(message);
    const call = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.kind === 'value') call?.resolve(said.value);
    else call?.reject(new CordonError(said.code, said.message, said.remedy));
  });
  const gone = (why: string) => {
    end ??= new CordonError(
      'changes.gone',
      `The changes cannot be read any more (${why}).`,
      'Open the conversation anew.',
    );
    for (const call of waiting.values()) call.reject(end);
    waiting.clear();
  };
  far.once('error', error => gone(messageOf(error)));
  for (const end of ['exit', 'close']) far.once(end, () => gone('the conversation was closed'));
  const call =
    (method: string) =>
    (...args: readonly unknown[]) => {
      if (end) return Promise.reject(end);
      const id = ++count;
      const settled = Promise.withResolvers<unknown>();
      waiting.set(id, settled);
      far.postMessage({ id, method, args });
      return settled.promise;
    };
  return Object.fromEntries(methods.map(method => [method, call(method)])) as T;
}
