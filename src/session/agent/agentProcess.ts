import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import {
  client,
  methods,
  PROTOCOL_VERSION,
  type ClientConnection,
  type InitializeRequest,
} from '@agentclientprotocol/sdk';
import * as z from 'zod';
import type { ProcessExit, Sandbox, SandboxedProcess } from '../../../sandbox/sandbox.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { proveToAgent } from '../../base/handshake.ts';
import type { Log } from '../../base/log.ts';
import {
  agentPaths,
  deleteFileMethod,
  type AgentStart,
  type ReadAnswerMeta,
  unsavedMethod,
} from '../../protocol/agent.ts';
import * as incoming from './agentMessages.ts';
import { agentStream, violation } from './agentStream.ts';
import type { Programs } from '../session.ts';

/** What the agent may ask of the broker. Each is called with checked, bounded parameters. */
export interface AgentRequests {
  update(update: incoming.AgentUpdate): void;
  createTerminal(request: incoming.CreateTerminal, signal: AbortSignal): Promise<string>;
  terminalOutput(id: string): { output: string; truncated: boolean };
  waitForExit(id: string): Promise<{ exitCode: number | null; signal: string | null }>;
  killTerminal(id: string): Promise<void>;
  releaseTerminal(id: string): Promise<void>;
  readFile(request: incoming.ReadTextFile, signal: AbortSignal): Promise<FileText>;
  writeFile(request: incoming.WriteTextFile, signal: AbortSignal): Promise<void>;
  deleteFile(request: incoming.DeleteFile, signal: AbortSignal): Promise<void>;
  askUser(request: incoming.AskUser, signal: AbortSignal): Promise<string | null>;
}

/** What `fs/read_text_file` answers. */
export interface FileText extends ReadAnswerMeta {
  readonly content: string;
}

export interface AgentProcessOptions {
  readonly sandbox: Sandbox;
  readonly programs: Programs;
  readonly folders: readonly string[];
  /** The gateway's socket on the host. */
  readonly socketPath: string;
  readonly start: Omit<AgentStart, 'gatewaySocket' | 'ripgrep'>;
  readonly requests: AgentRequests;
  readonly log: Log;
}

export type StopReason = z.infer<typeof PromptAnswer>['stopReason'];

/**
 * Starts the agent in its walls, proves each to the other, and opens its one session. Rejects with a CordonError
 * (`sandbox.*`, `handshake.failed`, `agent.*`) and leaves no process behind.
 */
export async function startAgentProcess(
  options: AgentProcessOptions,
  signal: AbortSignal,
): Promise<AgentProcess> {
  const { sandbox, programs, folders, socketPath } = options;
  const key = randomBytes(32);
  const process = await sandbox.launch({
    argv: [programs.node, agentPaths.agent],
    cwd: folders[0] ?? '/',
    writableFolders: [],
    view: 'bare',
    binds: [
      { source: programs.agent, target: agentPaths.agent },
      { source: programs.ripgrep, target: agentPaths.ripgrep },
      { source: socketPath, target: agentPaths.gatewaySocket },
    ],
    descriptors: [Buffer.from(`${key.toString('hex')}\n`)],
    stdin: 'pipe',
  });
  const agent = new AgentProcess(process, options);
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(startTime)]);
    await agent.open(key, patience);
    return agent;
  } catch (error) {
    const reason = await agent.reasonFor(error);
    await agent.kill();
    throw reason;
  } finally {
    key.fill(0);
  }
}

/** A running agent with its open session. */
export class AgentProcess {
  /** Settles when the process is gone, with the reason in words. Never rejects. */
  readonly gone: Promise<CordonError>;
  readonly #process: SandboxedProcess;
  readonly #options: AgentProcessOptions;
  #connection: ClientConnection | undefined;
  #sessionId = '';
  #violation: CordonError | undefined;
  /** The end of what it wrote to standard error, for the log and for a failed start. */
  #lastWords = '';

  constructor(process: SandboxedProcess, options: AgentProcessOptions) {
    this.#process = process;
    this.#options = options;
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-4_000);
    });
    // A pipe to a process that died says so here; `gone` tells what matters.
    process.stdin?.on('error', () => {});
    this.gone = process.exited.then(exit => this.#reason(exit));
  }

  /** Handshake, protocol version, session. */
  async open(key: Buffer, signal: AbortSignal): Promise<void> {
    const { stdin, stdout } = this.#process;
    if (stdin === null || stdout === null)
      throw new CordonError('agent.start', 'The agent was started without its pipes.');
    await proveToAgent(key, stdout, stdin, signal);
    const stream = agentStream(stdin, stdout, {
      onNotification: (method, params) => this.#notified(method, params),
      onViolation: error => this.#violate(error),
    });
    this.#connection = this.#serve().connect(stream);
    const request = { cancellationSignal: signal, stopWaitingOnCancel: true };
    const { agent } = this.#connection;
    const { protocolVersion } = await agent.request(methods.agent.initialize, hello, request);
    if (protocolVersion !== PROTOCOL_VERSION)
      throw violation(`speaks version ${protocolVersion} of the protocol`);
    const { folders, sandbox, socketPath, programs } = this.#options;
    const [cwd = '/', ...additionalDirectories] = folders;
    const places =
      sandbox.showsInPlace === true
        ? { gatewaySocket: realpathSync(socketPath), ripgrep: realpathSync(programs.ripgrep) }
        : { gatewaySocket: agentPaths.gatewaySocket, ripgrep: agentPaths.ripgrep };
    const start: AgentStart = { ...this.#options.start, ...places };
    const answer = await agent.request(
      methods.agent.session.new,
      { cwd, additionalDirectories, mcpServers: [], _meta: { cordon: start } },
      request,
    );
    this.#sessionId = z.string().max(200).parse(answer.sessionId);
  }

  /** Runs one turn to its end. Rejects with the agent's own failure, or with why it is gone. */
  async prompt(text: string): Promise<StopReason> {
    try {
      const prompt = { sessionId: this.#sessionId, prompt: [{ type: 'text' as const, text }] };
      const answer: unknown = await this.#connection?.agent.request(methods.agent.session.prompt, prompt);
      const checked = PromptAnswer.safeParse(answer);
      if (checked.success) return checked.data.stopReason;
      throw this.#violate(violation('ended its turn in an unknown way'));
    } catch (error) {
      throw await this.reasonFor(error);
    }
  }

  /** Tells which files have text in the editor that is not saved. An agent that does not know the message ignores it. */
  tellUnsaved(paths: readonly string[]): void {
    this.#connection?.agent
      .notify(unsavedMethod, { sessionId: this.#sessionId, paths: [...paths] })
      .catch(() => {});
  }

  /** Asks the agent to end its turn. It may not listen; then kill it. */
  cancel(): void {
    this.#connection?.agent
      .notify(methods.agent.session.cancel, { sessionId: this.#sessionId })
      .catch(() => {});
  }

  async kill(): Promise<void> {
    this.#connection?.close();
    await this.#process.kill();
  }

  /** What to say of a failure: that the agent is gone or broke the protocol, if that is what is behind it. */
  async reasonFor(failure: unknown): Promise<unknown> {
    if (this.#violation) return this.#violation;
    if (!this.#connection?.signal.aborted && !(failure instanceof CordonError)) return failure;
    // A pipe closes a moment before its process is seen to be gone.
    return (await Promise.race([this.gone, wait(2_000, undefined, { ref: false })])) ?? failure;
  }

  #serve() {
    const { requests } = this.#options;
    const { client: ours } = methods;
    return client({ name: 'cordon' })
      .onRequest(
        ours.terminal.create,
        this.#checked(incoming.CreateTerminal),
        async ({ params, signal }) => ({
          terminalId: await requests.createTerminal(params, signal),
        }),
      )
      .onRequest(ours.terminal.output, this.#checked(incoming.TerminalReference), ({ params }) =>
        requests.terminalOutput(params.terminalId),
      )
      .onRequest(ours.terminal.waitForExit, this.#checked(incoming.TerminalReference), ({ params }) =>
        requests.waitForExit(params.terminalId),
      )
      .onRequest(ours.terminal.kill, this.#checked(incoming.TerminalReference), async ({ params }) => {
        await requests.killTerminal(params.terminalId);
        return {};
      })
      .onRequest(ours.terminal.release, this.#checked(incoming.TerminalReference), async ({ params }) => {
        await requests.releaseTerminal(params.terminalId);
        return {};
      })
      .onRequest(ours.fs.readTextFile, this.#checked(incoming.ReadTextFile), async ({ params, signal }) => {
        const { content, from } = await requests.readFile(params, signal);
        return { content, _meta: { cordon: { from } } };
      })
      .onRequest(ours.fs.writeTextFile, this.#checked(incoming.WriteTextFile), async ({ params, signal }) => {
        await requests.writeFile(params, signal);
        return {};
      })
      .onRequest(deleteFileMethod, this.#checked(incoming.DeleteFile), async ({ params, signal }) => {
        await requests.deleteFile(params, signal);
        return {};
      })
      .onRequest(ours.elicitation.create, this.#checked(incoming.AskUser), async ({ params, signal }) => {
        const answer = await requests.askUser(params, signal);
        return answer === null ? { action: 'cancel' } : { action: 'accept', content: { answer } };
      })
      .onRequest('*', ({ method }) => {
        throw this.#violate(violation(`asked for "${method.slice(0, 100)}", which Cordon does not offer`));
      });
  }

  #notified(method: string, params: unknown): void {
    // What was still in the pipe when it was ended is not followed.
    if (this.#connection?.signal.aborted) return;
    if (method !== methods.client.session.update)
      throw violation(`sent the unknown message "${method.slice(0, 100)}"`);
    const { update } = this.#checked(incoming.UpdateNotification)(params);
    try {
      this.#options.requests.update(update);
    } catch (error) {
      throw violation(`could not be followed (${messageOf(error)})`);
    }
  }

  #checked<Schema extends z.ZodType>(schema: Schema): (params: unknown) => z.infer<Schema> {
    return params => {
      const result = schema.safeParse(params);
      if (result.success) return result.data;
      const [issue] = result.error.issues;
      throw this.#violate(
        violation(`sent a malformed message (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`),
      );
    };
  }

  #violate(error: CordonError): CordonError {
    this.#violation ??= error;
    void this.kill();
    return error;
  }

  #reason({ code, signal, limit }: ProcessExit): CordonError {
    const words = this.#lastWords.trim();
    if (words !== '') this.#options.log.warn(`The agent's last words: ${words}`);
    if (this.#violation) return this.#violation;
    const how = limit ?? (signal ? `It was ended by ${signal}.` : `Its exit status was ${code}.`);
    const said = this.#sessionId === '' && words !== '' ? ` It said: ${withoutStack(words)}` : '';
    return new CordonError(
      'agent.died',
      `The agent process ended unexpectedly. ${how}${said}`,
      'Your files and this conversation are kept; send a message to go on with a fresh agent.',
    );
  }
}

function withoutStack(text: string): string {
  const lines = text.split('\n').filter(line => line.trim() !== '' && !/^\s+(at |\^)/.test(line));
  return lines.join(' ').slice(-500);
}

/** Milliseconds for starting, generous for a loaded machine. */
const startTime = 60_000;

const PromptAnswer = z.object({
  stopReason: z.enum(['end_turn', 'max_tokens', 'max_turn_requests', 'refusal', 'cancelled']),
});

const hello: InitializeRequest = {
  protocolVersion: PROTOCOL_VERSION,
  clientInfo: { name: 'cordon', title: 'Cordon', version: '0.1.0' },
  clientCapabilities: {
    fs: { readTextFile: true, writeTextFile: true },
    terminal: true,
    elicitation: { form: {} },
  },
};
