/** A language model as the agent's loop sees it, whatever wire protocol carries it. */
export interface ModelClient {
  /**
   * Sends one request and streams the answer through `onDelta` as it comes. Rejects with a CordonError `model.*` when
   * no whole answer arrived, and with the signal's reason when aborted. Retries before the first byte are the SDK's.
   */
  answer(
    request: ModelRequest,
    onDelta: (delta: ModelDelta) => void,
    signal: AbortSignal,
  ): Promise<ModelAnswer>;
}

export interface ModelRequest {
  /** The parts of the system prompt, steadiest first, so that a provider's cache keeps the beginning. */
  readonly system: readonly string[];
  readonly tools: readonly ToolDescription[];
  readonly messages: readonly ModelMessage[];
}

export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Roles alternate and the first is `user`. Each tool call is answered in the message that follows it. */
export type ModelMessage =
  | { readonly role: 'user'; readonly parts: readonly UserPart[] }
  | { readonly role: 'assistant'; readonly parts: readonly AssistantPart[] };

export type UserPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'toolResult'; readonly callId: string; readonly ok: boolean; readonly text: string };

export type AssistantPart =
  | { readonly kind: 'text'; readonly text: string }
  | ToolCallPart
  /** Goes back to the provider as it came; `size` is its length in characters, for estimates. */
  | { readonly kind: 'thinking'; readonly raw: unknown; readonly size: number };

export interface ToolCallPart {
  readonly kind: 'toolCall';
  readonly callId: string;
  readonly name: string;
  /** The arguments as the model wrote them: meant to be JSON, but nobody promised. */
  readonly json: string;
}

export type ModelDelta =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thought'; readonly text: string }
  /** A call has begun, whose arguments may take the model a while to write. */
  | { readonly kind: 'toolCall'; readonly callId: string; readonly name: string };

export interface ModelAnswer {
  readonly parts: readonly AssistantPart[];
  /** `paused`: the provider wants the same conversation sent again to go on. */
  readonly stop: 'end' | 'toolCalls' | 'maxTokens' | 'refusal' | 'paused';
}

/** What a model client needs to reach the gateway. */
export interface ModelEndpoint {
  /** Without trailing slash; loopback inside the sandbox. */
  readonly baseUrl: string;
  readonly token: string;
  readonly model: string;
  /** Tokens that one answer may have. */
  readonly maxOutputTokens: number;
}

/** The arguments as an object for the wire; what is not one becomes `{}`, because providers refuse anything else. */
export function argumentsObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json === '' ? '{}' : json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
