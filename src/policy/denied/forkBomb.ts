import { forEachChild } from 'unbash';
import type { ParsedScript, SyntaxNode } from 'unbash';
import { denying } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';

/** Functions that call themselves in the background or through a pipe, and endless loops that start something each round. */
export function forkBombs(tree: ParsedScript): Finding[] {
  const bodies = new Map<string, { readonly calls: Set<string>; multiplies: boolean; readonly span: Span }>();
  const loops: Span[] = [];
  visit(tree, node => {
    if (node.type === 'Function') bodies.set(node.name.value, callsIn(node));
    if (node.type === 'While' && isEndless(node)) {
      if (startsInBackground(node.body)) loops.push([node.pos, node.end]);
    }
    if (node.type === 'ArithmeticFor' && node.test === undefined && startsInBackground(node.body))
      loops.push([node.pos, node.end]);
    if ((node.type === 'Statement' && node.background) || node.type === 'Pipeline') {
      const text = callsIn(node).calls;
      if (
        text.has('$0') ||
        text.has('"$0"') ||
        text.has('$BASH_SOURCE') ||
        text.has('"${BASH_SOURCE[0]}"') ||
        text.has('${0}')
      )
        loops.push([node.pos, node.end]);
    }
  });
  const bombs = [...bodies.entries()]
    .filter(([name, body]) => body.multiplies && reaches(bodies, body.calls, name))
    .map(([, body]) => body.span);
  return [...bombs, ...loops].map(span =>
    denying('denied.forkBomb', 'This starts copies of itself without end.', span),
  );
}

/** The same in text that is no shell line, or that cannot be parsed. */
export function forkBombText(text: string, span: Span): Finding | undefined {
  const compact = text.slice(0, 4_000).replaceAll(/\s+/g, '');
  const bomb =
    /([\w:.@%+-]{1,40})\(\)[{(]+[^{}]{0,40}?\1[|&]+\1/.test(compact) ||
    /fork\(?\)?while(?:\(1\)|fork|1|true)|while(?:\(?(?:1|True|true|:)\)?)[:{]?[^;]{0,20}(?:os\.|Process\.)?fork|forkwhilefork|(?:loop|Kernel\.loop)(?:do|\{)fork|fork(?:\(\))?[;&|]+fork(?:\(\))?[;&|]+fork/.test(
      compact,
    ) ||
    /for(?:ever)?\(;;\)\{?fork|loop(?:do|\{)fork|fork\(\)for|(?:fork\(__filename|spawn\(process\.(?:argv|execPath))/.test(
      compact,
    );
  return bomb ? denying('denied.forkBomb', 'This starts copies of itself without end.', span) : undefined;
}

function callsIn(root: SyntaxNode): { calls: Set<string>; multiplies: boolean; span: Span } {
  const calls = new Set<string>();
  let multiplies = false;
  visit(root, node => {
    if (node.type === 'Command' && node.name !== undefined) {
      calls.add(node.name.value);
      calls.add(node.name.text);
      // Through a wrapper: `eval f`, `exec "$0"`, `bash "$0"`.
      if (/^(?:eval|exec|command|builtin|nohup|setsid|time|sh|bash|zsh|env|source|\.)$/.test(node.name.value))
        for (const argument of node.args)
          if (argument.type === 'Word') calls.add(argument.value).add(argument.text);
    }
    if (node.type === 'Pipeline' && node.commands.length > 1) multiplies = true;
    if (node.type === 'Statement' && node.background) multiplies = true;
    if (
      node.type === 'CommandExpansion' ||
      node.type === 'ProcessSubstitution' ||
      node.type === 'Coproc' ||
      node.type === 'Subshell'
    )
      multiplies = true;
  });
  return { calls, multiplies, span: [root.pos, root.end] };
}

function reaches(
  bodies: ReadonlyMap<string, { readonly calls: ReadonlySet<string> }>,
  from: ReadonlySet<string>,
  target: string,
): boolean {
  const seen = new Set<string>();
  const queue = [...from];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === target) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    queue.push(...(bodies.get(name)?.calls ?? []));
  }
  return false;
}

function isEndless(node: Extract<SyntaxNode, { type: 'While' }>): boolean {
  const [only, ...more] = node.clause.commands;
  if (only === undefined || more.length > 0) return false;
  const { command } = only;
  if (command.type === 'Command') {
    const name = command.name?.value ?? '';
    return node.kind === 'while'
      ? name === 'true' ||
          name === ':' ||
          name === '/bin/true' ||
          ((name === '[' || name === 'test') && command.args.length <= 2)
      : name === 'false' || name === '/bin/false';
  }
  return (
    command.type === 'ArithmeticCommand' ||
    (command.type === 'TestCommand' && command.expression.type === 'TestUnary') ||
    (command.type === 'Pipeline' && command.prefixes.length > 0)
  );
}

/** Starts something in the background and never waits. */
function startsInBackground(node: SyntaxNode): boolean {
  let background = false;
  let waits = false;
  const look = (child: SyntaxNode): void => {
    // What runs in the background is not waited for.
    if (child.type === 'Statement' && child.background) background = true;
    else {
      if (child.type === 'Command' && /^(?:wait|sleep|read|break|exit|return)$/.test(child.name?.value ?? ''))
        waits = true;
      forEachChild(child, look);
    }
  };
  look(node);
  return background && !waits;
}

function visit(node: SyntaxNode, see: (node: SyntaxNode) => void): void {
  see(node);
  forEachChild(node, child => visit(child, see));
}
