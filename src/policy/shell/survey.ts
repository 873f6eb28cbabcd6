import { forEachChild } from 'unbash';
import type { SyntaxNode } from 'unbash';
import { looksNumeric } from './arithmetic.ts';

/** What a loop's or function's body may change for its next round: variables, and the working folder. */
export function changedIn(node: SyntaxNode): {
  readonly variables: ReadonlySet<string>;
  /** Of them, those that only ever become numbers, as long as they are numbers before. */
  readonly counters: ReadonlySet<string>;
  readonly folder: boolean;
} {
  const variables = new Set<string>();
  const others = new Set<string>();
  let folder = false;
  visit(node, child => {
    if (child.type === 'Assignment') {
      variables.add(child.name);
      const isNumber = child.value.type === 'Word' && !child.append && looksNumeric(child.value.text);
      if (!isNumber || child.index !== undefined) others.add(child.name);
    } else if (child.type === 'For' || child.type === 'Select') {
      variables.add(child.name.text);
      others.add(child.name.text);
    }
    if (child.type === 'Command' && child.name !== undefined) {
      const name = child.name.value;
      if (/^(?:cd|pushd|popd|eval|source|\.|command|builtin)$/.test(name) || child.name.parts !== undefined)
        folder = true;
      if (
        /^(?:read|mapfile|readarray|getopts|printf|declare|local|export|typeset|readonly|unset|let)$/.test(
          name,
        )
      ) {
        for (const argument of child.args)
          if (argument.type === 'Word' && /^\w+$/.test(argument.value)) {
            variables.add(argument.value);
            others.add(argument.value);
          }
      }
    }
  });
  const counters = new Set([...variables].filter(name => !others.has(name)));
  return { variables, counters, folder };
}

/** The names of all functions defined anywhere below. */
export function definesFunctions(node: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, child => {
    if (child.type === 'Function') names.add(child.name.value);
  });
  return names;
}

function visit(node: SyntaxNode, see: (node: SyntaxNode) => void): void {
  see(node);
  forEachChild(node, child => visit(child, see));
}
