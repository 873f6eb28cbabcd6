import { CordonError } from '../base/errors.ts';

/** What went wrong between the agent and its model, in words for the user and in terms that an SDK understands. */
export interface Problem {
  /** Stable, dotted: `gateway.wrongKey`. */
  readonly code: string;
  /** One plain sentence. Holds no credential. */
  readonly message: string;
  readonly remedy: string;
  /** The HTTP status that tells an SDK the same. */
  readonly status: number;
  /** Whether the same request may succeed a moment later. */
  readonly passes: boolean;
}

/** A problem on its way up; what backends reject with. */
export class ProblemError extends CordonError {
  constructor(readonly problem: Problem) {
    super(problem.code, problem.message, problem.remedy);
  }
}

/** Anything thrown while a model was asked. A defect of ours says so, without its details: they could hold anything. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof CordonError) {
    const { code, message, remedy = 'Try again.' } = error;
    return { code, message, remedy, status: 502, passes: false };
  }
  return {
    code: 'gateway.defect',
    message: 'Cordon failed while it asked the model.',
    remedy: 'Try again; if it happens once more, please report it with the log of Cordon.',
    status: 500,
    passes: false,
  };
}
