import * as z from 'zod';

// What an agent may send to a Chat Completions endpoint; see anthropicRequest.ts for why it is a list. Left out on
// purpose: `web_search_options`, `plugins` and built-in tools (the provider would search the web), `store` (it would
// keep the conversation), `n` (it would multiply the cost), images by address.

const Text = z.looseObject({ type: z.literal('text'), text: z.string() });

const Part = z.discriminatedUnion('type', [
  Text,
  z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
  z.looseObject({
    type: z.literal('image_url'),
    image_url: z.looseObject({
      url: z.string().startsWith('data:', 'only images inside the message (data:)'),
    }),
  }),
]);

const content = z.union([z.string(), z.array(Part)]);
const record = z.record(z.string(), z.unknown());

const Message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer', 'user']), content }),
  z.looseObject({
    role: z.literal('assistant'),
    content: content.nullable().optional(),
    tool_calls: z
      .array(
        z.looseObject({
          id: z.string(),
          type: z.literal('function'),
          function: z.looseObject({ name: z.string(), arguments: z.string() }),
        }),
      )
      .optional(),
  }),
  z.looseObject({ role: z.literal('tool'), tool_call_id: z.string(), content }),
]);

export const OpenaiRequest = z.strictObject({
  model: z.string(),
  messages: z.array(Message).min(1),
  stream: z.boolean().optional(),
  stream_options: record.nullable().optional(),
  tools: z
    .array(z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }))
    .optional(),
  tool_choice: z.union([z.string(), record]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_tokens: z.number().int().positive().nullable().optional(),
  max_completion_tokens: z.number().int().positive().nullable().optional(),
  reasoning_effort: z.string().nullable().optional(),
  reasoning: record.optional(),
  response_format: record.optional(),
  verbosity: z.string().nullable().optional(),
  stop: z
    .union([z.string(), z.array(z.string())])
    .nullable()
    .optional(),
  seed: z.number().int().nullable().optional(),
  temperature: z.number().nullable().optional(),
  top_p: z.number().nullable().optional(),
  presence_penalty: z.number().nullable().optional(),
  frequency_penalty: z.number().nullable().optional(),
  user: z.string().optional(),
});
export type OpenaiRequest = z.infer<typeof OpenaiRequest>;
