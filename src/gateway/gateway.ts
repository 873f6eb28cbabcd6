import type { Usage, Wire } from '../protocol/model.ts';

/** One model request as the agent sent it, already checked for token, path, size and JSON. */
export interface ModelRequest {
  /** Below the provider's base URL: `/v1/messages` (Anthropic) or `/chat/completions` (OpenAI, whose base ends in `/v1`). */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Only protocol headers (versions, betas); never the agent's authorization. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who answers the model's wire protocol: a provider, VS Code's own models, or the demonstration script. */
export interface ModelBackend {
  readonly wire: Wire;
  /** Who answers, for sentences to the user: `Anthropic`, `localhost:11434`. */
  readonly name: string;
  /**
   * Answers with the provider's own status and (streamed) body, in which no credential appears. Rejects with a
   * CordonError `gateway.*` when it cannot be reached.
   */
  respond(request: ModelRequest, signal: AbortSignal): Promise<Response>;
}

/** What went wrong or is being waited for, in words for the user. */
export type GatewayEvent =
  /** What this gateway counted since it started, all requests together; comes while an answer streams and at its end. */
  | { readonly kind: 'usage'; readonly usage: Usage }
  /** `retryAfter` in seconds when the agent will try again by itself; else the turn is over. */
  | {
      readonly kind: 'problem';
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
      readonly retryAfter?: number;
    };

/**
 * The broker's model server on a Unix socket, for one session. An ordinary SDK reaches it with the token as bearer:
 * Anthropic's with base URL `http://HOST`, OpenAI's with `http://HOST/v1` (the host is not looked at). Only
 * `POST /v1/messages` or `POST /v1/chat/completions` is served, whichever the backend's wire is.
 */
export interface Gateway extends AsyncDisposable {
  readonly socketPath: string;
  /** Random 128-bit bearer token, 32 hexadecimal digits; void once disposed. */
  readonly token: string;
}

export interface GatewayOptions {
  /** Folder of the broker's (0700); the socket is made in it. Keep it short: a socket path holds 107 bytes. */
  readonly directory: string;
  readonly backend: ModelBackend;
  /** Whom the agent is on disk, where that is not who runs Cordon: the socket is this user's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Requests that the session may make, at most. */
  readonly maxRequests: number;
  readonly onEvent: (event: GatewayEvent) => void;
}
