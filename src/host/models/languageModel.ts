import * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import type { LanguageModel, LanguageModelMessage } from '../../gateway/languageModelBackend.ts';

/** VS Code's own model with this identifier, as the gateway asks for one. VS Code handles consent and quota. */
export async function vscodeLanguageModel(id: string): Promise<LanguageModel> {
  const [model] = await vscode.lm.selectChatModels({ id });
  if (model === undefined) {
    throw new CordonError(
      'model.notFound',
      `VS Code offers no language model "${id}" any more.`,
      'Sign in to its provider again, or run "Cordon: Choose Model".',
    );
  }
  return {
    name: model.name,
    async *respond(request, signal) {
      const cancellation = new vscode.CancellationTokenSource();
      const cancel = () => cancellation.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      try {
        const response = await model.sendRequest(
          request.messages.map(messageOf),
          {
            justification: 'Cordon answers the task that you gave it.',
            tools: request.tools.map(tool => ({ ...tool, inputSchema: { ...tool.inputSchema } })),
          },
          cancellation.token,
        );
        for await (const part of response.stream) {
          if (part instanceof vscode.LanguageModelTextPart) yield { kind: 'text', text: part.value };
          else if (part instanceof vscode.LanguageModelToolCallPart) {
            yield { kind: 'toolCall', name: part.name, input: { ...part.input } };
          }
          // Parts of a later VS Code (thinking, data) mean nothing to the wire protocol and are left out.
        }
      } finally {
        signal.removeEventListener('abort', cancel);
        cancellation.dispose();
      }
    },
    countTokens: async text => model.countTokens(text),
  };
}

function messageOf({ role, parts }: LanguageModelMessage): vscode.LanguageModelChatMessage {
  if (role === 'assistant') {
    return vscode.LanguageModelChatMessage.Assistant(
      parts.flatMap<vscode.LanguageModelTextPart | vscode.LanguageModelToolCallPart>(part => {
        if (part.kind === 'text') return [new vscode.LanguageModelTextPart(part.text)];
        if (part.kind === 'toolCall')
          return [new vscode.LanguageModelToolCallPart(part.callId, part.name, part.input)];
        return [];
      }),
    );
  }
  return vscode.LanguageModelChatMessage.User(
    parts.flatMap<vscode.LanguageModelTextPart | vscode.LanguageModelToolResultPart>(part => {
      if (part.kind === 'text') return [new vscode.LanguageModelTextPart(part.text)];
      if (part.kind === 'toolResult') {
        return [
          new vscode.LanguageModelToolResultPart(part.callId, [new vscode.LanguageModelTextPart(part.text)]),
        ];
      }
      return [];
    }),
  );
}
