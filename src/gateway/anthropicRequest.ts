import * as z from 'zod';

// What an agent may send to a Messages endpoint. Some fields make the provider itself fetch addresses or run code
// (server tools, MCP connectors, images by URL, containers). Through them a steered agent could carry data out past
// the sandbox's missing network, so only what stays between the agent and the model is let through: new fields are
// added here by name. Inside known blocks unknown fields pass (cache_control and the like).

const Text = z.looseObject({ type: z.literal('text'), text: z.string() });

/** Bytes in the message itself; never `url` or `file`. */
const Inline = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
  z.strictObject({ type: z.literal('text'), media_type: z.string(), data: z.string() }),
]);
const Image = z.looseObject({ type: z.literal('image'), source: Inline });
const Document = z.looseObject({ type: z.literal('document'), source: Inline });

const Block = z.discriminatedUnion('type', [
  Text,
  Image,
  Document,
  z.looseObject({ type: z.literal('thinking'), thinking: z.string() }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
  z.looseObject({
    type: z.literal('tool_use'),
    id: z.string(),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
  }),
  z.looseObject({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [Text, Image, Document]))]).optional(),
    is_error: z.boolean().optional(),
  }),
]);

/** A tool that the agent runs itself; a `type` other than `custom` would be one that the provider runs. */
const Tool = z.looseObject({
  type: z.literal('custom').nullish(),
  name: z.string(),
  input_schema: z.record(z.string(), z.unknown()),
});

const record = z.record(z.string(), z.unknown());

export const AnthropicRequest = z.strictObject({
  model: z.string(),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(Block)]),
      }),
    )
    .min(1),
  max_tokens: z.number().int().positive(),
  stream: z.boolean().optional(),
  system: z.union([z.string(), z.array(Text)]).optional(),
  tools: z.array(Tool).optional(),
  tool_choice: record.optional(),
  thinking: record.optional(),
  output_config: record.optional(),
  cache_control: record.nullable().optional(),
  metadata: record.optional(),
  stop_sequences: z.array(z.string()).optional(),
  temperature: z.number().optional(),
  top_k: z.number().optional(),
  top_p: z.number().optional(),
});
export type AnthropicRequest = z.infer<typeof AnthropicRequest>;
