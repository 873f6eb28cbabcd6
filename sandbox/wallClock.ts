import { limitMessages } from './limits.ts';

/**
 * The wall time that a command has. It stands while the command waits for the user, who may take their time, and runs
 * on afterwards. Whoever starts the command starts it; it can be made to stand before that.
 */
export class WallClock {
  #left: number;
  #standing = 0;
  #state: State = { kind: 'new' };

  /** In milliseconds. */
  constructor(readonly limit: number) {
    this.#left = limit;
  }

  /** From here on it runs; `onOver` is called once, when all of it has passed. To be called once. */
  start(onOver: () => void): void {
    if (this.#state.kind !== 'new') return;
    this.#state = { kind: 'started', onOver, running: undefined };
    this.#run();
  }

  /** Until what it returns is called it stands, and as long as somebody else wants it to stand. */
  stand(): () => void {
    this.#halt();
    this.#standing += 1;
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      this.#standing -= 1;
      this.#run();
    };
  }

  /** It does not matter any more. */
  end(): void {
    this.#halt();
    this.#state = { kind: 'ended' };
  }

  #run(): void {
    if (this.#state.kind !== 'started' || this.#standing > 0) return;
    const { onOver } = this.#state;
    const since = performance.now();
    const timer = setTimeout(
      () => {
        this.#halt();
        if (this.#left > 0) return this.#run();
        this.#state = { kind: 'ended' };
        onOver();
      },
      Math.min(Math.ceil(this.#left), longestTimer),
    );
    this.#state = { kind: 'started', onOver, running: { timer, since } };
  }

  #halt(): void {
    if (this.#state.kind !== 'started' || this.#state.running === undefined) return;
    const { timer, since } = this.#state.running;
    clearTimeout(timer);
    this.#left -= performance.now() - since;
    this.#state = { ...this.#state, running: undefined };
  }
}

/**
 * Starts the clock of a launch: `onOver` is called with the sentence for who ran too long. Undefined where the launch has
 * no limit.
 */
export function startedClock(
  timeout: number | WallClock | undefined,
  onOver: (limit: string) => void,
): WallClock | undefined {
  if (timeout === undefined) return undefined;
  const clock = typeof timeout === 'number' ? new WallClock(timeout) : timeout;
  clock.start(() => onOver(limitMessages.wallTime(clock.limit)));
  return clock;
}

type State =
  | { kind: 'new' }
  | { kind: 'started'; onOver: () => void; running: { timer: NodeJS.Timeout; since: number } | undefined }
  | { kind: 'ended' };

/** Milliseconds; a longer timer of Node's fires at once. */
const longestTimer = 2 ** 31 - 1;
