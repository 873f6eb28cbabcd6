import { messageOf } from '../../src/base/errors.ts';
import type { AnnouncedCalls, CallFacts } from './announcedCalls.ts';
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

/** Calls that only read and run at the same time, at most. */
const maxTogether = 8;

/**
 * Runs the calls of one answer and tells the broker of each. Neighbours that only read run together; everything else
 * runs by itself, in order. One outcome for each call, in order, whatever happens; never rejects but when the broker
 * is gone.
 */
export async function runCalls(
  calls: readonly ToolCallPart[],
  announced: AnnouncedCalls,
  environment: CallEnvironment,
  signal: AbortSignal,
): Promise<CallOutcome[]> {
  const waiting: (() => Promise<CallOutcome>)[][] = [];
  let lastReads = false;
  for (const call of calls) {
    const readied = readyCall(call.name, call.json, environment.workspace);
    const toolCallId = await announced.tell(call.callId, factsOf(call, readied));
    const reads = readied.tool?.isReadOnly === true;
    const run = () => runOne(call, readied, { ...environment, toolCallId, signal });
    const group = waiting.at(-1);
    if (reads && lastReads && group !== undefined && group.length < maxTogether) group.push(run);
    else waiting.push([run]);
    lastReads = reads;
  }
  const outcomes: CallOutcome[] = [];
  for (const group of waiting) outcomes.push(...(await Promise.all(group.map(run => run()))));
  return outcomes;
}

function factsOf(call: ToolCallPart, { tool, call: ready }: ReadiedCall): CallFacts {
  if (tool === undefined) {
    const name = legibleText(call.name.slice(0, 100));
    return { name, kind: 'other', title: `Unknown tool ${name}` };
  }
  const { name, kind } = tool;
  if (ready.kind === 'invalid') return { name, kind, title: `Invalid call of ${name}` };
  const isSmall = JSON.stringify(ready.rawInput).length <= maxRawInput;
  const { title, locations } = ready;
  return { name, kind, title, locations, ...(isSmall ? { rawInput: ready.rawInput } : {}) };
}

/** Larger arguments are not sent along for show, as JSON in UTF-16 units. */
const maxRawInput = 50_000;

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
    const didChange = result.ok && tool !== undefined && changing.has(tool.kind);
    return { call, ok: result.ok, text: result.text, counts, didChange };
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

const changing: ReadonlySet<string> = new Set(['edit', 'delete', 'execute']);

const notBegun = 'The user stopped the turn before this was done.';
const underWay =
  'The user stopped the turn while this was under way. It may have happened wholly, in part, or not at all.';
