import * as z from 'zod';
import type { CallFacts } from './announcedCalls.ts';
import { legibleText } from './legibleText.ts';
import type { ToolDescription } from './model.ts';
import { askUserTool } from './tools/askUser.ts';
import { commandOutputTool } from './tools/commandOutput.ts';
import { createFileTool } from './tools/createFile.ts';
import { deleteFileTool } from './tools/deleteFile.ts';
import { editFileTool } from './tools/editFile.ts';
import { listFilesTool } from './tools/listFiles.ts';
import { readFileTool } from './tools/readFile.ts';
import { runCommandTool } from './tools/runCommand.ts';
import { searchTool } from './tools/search.ts';
import { stopCommandTool } from './tools/stopCommand.ts';
import type { InvalidCall, PreparedCall, Tool } from './tools/tool.ts';
import { updatePlanTool } from './tools/updatePlan.ts';
import type { Workspace } from './workspace.ts';

/** All that the model may do, in the order it is told. */
const toolbox: readonly Tool[] = [
  listFilesTool,
  searchTool,
  readFileTool,
  editFileTool,
  createFileTool,
  deleteFileTool,
  runCommandTool,
  commandOutputTool,
  stopCommandTool,
  updatePlanTool,
  askUserTool,
];

const byName = new Map(toolbox.map(tool => [tool.name, tool]));

/** The tools as the model is told of them. */
export function describeTools(): ToolDescription[] {
  return toolbox.map(tool => {
    const { $schema: _, ...parameters } = z.toJSONSchema(tool.schema, { io: 'input' });
    return { name: tool.name, description: tool.description, parameters };
  });
}

/** What the panel shows while the model still writes the arguments. */
export function factsBefore(name: string): CallFacts {
  const tool = byName.get(name);
  if (tool === undefined)
    return { name: legibleText(name.slice(0, 100)), kind: 'other', title: 'Preparing a call' };
  return { name, kind: tool.kind, title: `Preparing to ${name.replaceAll('_', ' ')}` };
}

export type ReadiedCall =
  | { readonly tool: Tool; readonly call: PreparedCall }
  | { readonly tool: Tool | undefined; readonly call: InvalidCall };

/** Checks a call of the model's. `json` is what it wrote as arguments. Never throws. */
export function readyCall(name: string, json: string, workspace: Workspace): ReadiedCall {
  const tool = byName.get(name);
  if (tool === undefined) {
    const names = toolbox.map(known => known.name).join(', ');
    return {
      tool,
      call: {
        kind: 'invalid',
        message: `There is no tool ${JSON.stringify(name.slice(0, 100))}. The tools are: ${names}.`,
      },
    };
  }
  let args: unknown;
  try {
    args = JSON.parse(json.trim() === '' ? '{}' : json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      tool,
      call: { kind: 'invalid', message: `The arguments of ${name} are not valid JSON: ${why}` },
    };
  }
  const call = tool.prepare(args, workspace);
  return call.kind === 'invalid'
    ? {
        tool,
        call: {
          kind: 'invalid',
          message: `The arguments of ${name} are wrong, so nothing was done.\n${call.message}`,
        },
      }
    : { tool, call };
}
