import { messageOf } from '../../src/base/errors.ts';
import { randomId } from '../../src/base/ids.ts';
import type { Broker } from './broker.ts';
import { legibleText } from './legibleText.ts';
import type { ToolCallPart } from './model.ts';
import { orAborted } from './orAborted.ts';
import { type ReadiedCall, readyCall } from './toolbox.ts';
import { textContent, type ToolContext, type ToolResult } from './tools/tool.ts';

/** What tools work with, but for what is each call's own. */
export type CallEnvironment = Omit<ToolContext, 'toolCallId' | 'signal'>;

export interface CallOutcome {
  readonly call: ToolCallPart;
  readonly ok: boolean;
  /** For the model. */
  readonly text: string;
  /** Counts as a failure of the model's own when not ok: a failing command does not. */
  readonly counts: boolean;
  /** Something may be different now. */
  readonly didChange: boolean;
}

/**
 * Runs the calls of one answer and tells the broker of each. Neighbours that only read run together; everything else
 * runs by itself, in order. One outcome for each call, in order, whatever happens; never rejects but when the broker
 * is gone.
 */
export async function runCalls(
  calls: readonly ToolCallPart[],
  environment: CallEnvironment,
  signal: AbortSignal,
): Promise<CallOutcome[]> {
  const readied = calls.map(call => ({
    call,
    readied: readyCall(call.name, call.json, environment.workspace),
    toolCallId: randomId(),
  }));
  for (const { call, readied: ready, toolCallId } of readied)
    await announce(call, ready, toolCallId, environment.broker);
  const outcomes: CallOutcome[] = [];
  for (let at = 0; at < readied.length;) {
    let end = at + 1;
    if (isReadOnly(readied[at]))
      while (end < readied.length && end - at < maxTogether && isReadOnly(readied[end])) end++;
    const group = readied.slice(at, end);
    outcomes.push(
      ...(await Promise.all(
        group.map(({ call, readied: ready, toolCallId }) =>
          runOne(call, ready, { ...environment, toolCallId, signal }),
        ),
      )),
    );
    at = end;
  }
  return outcomes;
}

const maxTogether = 8;

function isReadOnly(entry: { readied: ReadiedCall } | undefined): boolean {
  return entry?.readied.tool?.isReadOnly === true;
}

async function announce(
  call: ToolCallPart,
  { tool, call: ready }: ReadiedCall,
  toolCallId: string,
  broker: Broker,
): Promise<void> {
  await broker.update({
    sessionUpdate: 'tool_call',
    toolCallId,
    name: tool?.name ?? call.name.slice(0, 100),
    kind: tool?.kind ?? 'other',
    status: 'pending',
    ...(ready.kind === 'prepared'
      ? { title: ready.title, locations: ready.locations, rawInput: ready.rawInput }
      : {
          title:
            tool === undefined
              ? `Unknown tool ${legibleText(call.name.slice(0, 100))}`
              : `Invalid call of ${tool.name}`,
        }),
  });
}

async function runOne(
  call: ToolCallPart,
  { tool, call: ready }: ReadiedCall,
  context: ToolContext,
): Promise<CallOutcome> {
  const { broker, toolCallId, signal } = context;
  const finish = async (result: ToolResult, counts: boolean): Promise<CallOutcome> => {
    await broker.update({
      sessionUpdate: 'tool_call_update',
      toolCallId,
      status: result.ok ? 'completed' : 'failed',
      content: result.content ?? [textContent(result.text)],
      ...(result.rawOutput === undefined ? {} : { rawOutput: result.rawOutput }),
    });
    return {
      call,
      ok: result.ok,
      text: result.text,
      counts,
      didChange: result.ok && tool?.isReadOnly === false,
    };
  };
  // A stopped call is not reported as failed: the broker shows what was still open as cancelled.
  const stop = (text: string): CallOutcome => ({ call, ok: false, text, counts: false, didChange: false });
  if (signal.aborted) return stop(notBegun);
  if (tool === undefined || ready.kind === 'invalid')
    return await finish({ ok: false, text: ready.kind === 'invalid' ? ready.message : '' }, true);
  await broker.update({ sessionUpdate: 'tool_call_update', toolCallId, status: 'in_progress' });
  try {
    const result = await orAborted(ready.run(context), signal);
    // A command that ran and failed is news, not a mistake of the model's.
    return await finish(result, result.rawOutput === undefined);
  } catch (error) {
    if (signal.aborted) return stop(tool.isReadOnly ? notBegun : underWay);
    return await finish({ ok: false, text: `The tool failed: ${messageOf(error)}` }, true);
  }
}

const notBegun = 'The user stopped the turn before this was done.';
const underWay =
  'The user stopped the turn while this was under way. It may have happened wholly, in part, or not at all.';
