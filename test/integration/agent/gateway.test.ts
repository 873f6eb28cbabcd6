import { expect, test } from 'vitest';
import { anthropicBackend } from '../../../src/gateway/anthropicBackend.ts';
import { openaiBackend } from '../../../src/gateway/openaiBackend.ts';
import { calls, type ScriptedModel, type Step, toolResults } from '../../unit/agent/scriptedModel.ts';
import { type TestAgent, testAgent } from '../../unit/agent/testAgent.ts';
import { type GatewayForTest, gatewayForTest, problems } from '../gateway/gatewayForTest.ts';

// The agent and the real gateway together, before a third-party mock of the providers.

const secret = 'sk-the-real-credential-0123456789';

async function through(
  wire: 'anthropic' | 'openai',
  steps: readonly Step[],
  use: (agent: TestAgent, gateway: GatewayForTest) => Promise<void>,
): Promise<void> {
  const opened: GatewayForTest[] = [];
  const open = async (model: ScriptedModel) => {
    const options = { model: 'm', credential: () => Promise.resolve(secret) };
    const backend =
      wire === 'anthropic'
        ? anthropicBackend({ ...options, baseUrl: model.origin })
        : openaiBackend({ ...options, baseUrl: `${model.origin}/v1` });
    const made = await gatewayForTest(backend);
    opened.push(made);
    return made.gateway;
  };
  try {
    await using agent = await testAgent(steps, {
      start: { wire },
      files: { 'a.txt': 'hello\n' },
      gateway: open,
    });
    const [gateway] = opened;
    if (gateway === undefined) throw new Error('the gateway was not opened');
    await use(agent, gateway);
  } finally {
    for (const gateway of opened) await gateway[Symbol.asyncDispose]();
  }
}

for (const wire of ['anthropic', 'openai'] as const) {
  test(`over ${wire}: tools work through the gateway, and what is used is counted`, async () => {
    const steps = [
      calls(['read_file', { path: 'a.txt' }], ['search', { pattern: 'hello' }]),
      calls(['run_command', { command: 'cat a.txt' }]),
      {
        content: 'Done.',
        usage: { input_tokens: 10, output_tokens: 5, prompt_tokens: 10, completion_tokens: 5 },
      },
    ];
    await through(wire, steps, async (agent, gateway) => {
      expect(await agent.prompt('Look')).toBe('end_turn');
      expect(agent.broker.said()).toBe('Done.');
      expect(toolResults(agent.model.requests.at(-1))).toHaveLength(3);
      const usage = gateway.events.filter(event => event.kind === 'usage').at(-1)?.usage;
      expect(usage?.requests).toBe(3);
      expect(problems(gateway.events)).toEqual([]);
    });
  });

  test(`over ${wire}: a busy service is waited for as long as it says, and the user is told`, async () => {
    const steps: Step[] = [
      { error: { message: 'Slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 1 },
      { content: 'Now.' },
    ];
    await through(wire, steps, async (agent, gateway) => {
      const before = performance.now();
      expect(await agent.prompt('Hi')).toBe('end_turn');
      expect(performance.now() - before).toBeGreaterThan(900);
      expect(problems(gateway.events)).toEqual([{ code: 'gateway.rateLimited', retryAfter: 1 }]);
    });
  });

  test(`over ${wire}: a wrong key fails the prompt in the gateway's words, without the key`, async () => {
    const steps: Step[] = [
      {
        error: { message: `Incorrect API key provided: ${secret}`, type: 'authentication_error' },
        status: 401,
      },
    ];
    await through(wire, steps, async (agent, gateway) => {
      const failure = await agent.prompt('Hi').then(
        () => 'it worked',
        (error: unknown) => String(error),
      );
      expect(failure).toMatch(/key/i);
      expect(failure).not.toContain(secret);
      expect(problems(gateway.events)).toEqual([{ code: 'gateway.wrongKey' }]);
      expect(agent.model.requests).toHaveLength(1);
    });
  });
}
