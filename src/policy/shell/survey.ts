import { forEachChild } from 'unbash';
import type { SyntaxNode } from 'unbash';

/** What a loop's or function's body may change for its next round: variables, and the working folder. */
export function changedIn(node: SyntaxNode): {
  readonly variables: ReadonlySet<string>;
  readonly folder: boolean;
} {
  const variables = new Set<string>();
  let folder = false;
  visit(node, child => {
    if (child.type === 'Assignment') variables.add(child.name);
    else if (child.type === 'For' || child.type === 'Select') variables.add(child.name.text);
    else if (child.type === 'Command' && child.name !== undefined) {
      const name = child.name.value;
      if (/^(?:cd|pushd|popd|eval|source|\.|command|builtin)$/.test(name) || child.name.parts !== undefined)
        folder = true;
      if (
        /^(?:read|mapfile|readarray|getopts|printf|declare|local|export|typeset|readonly|unset|let)$/.test(
          name,
        )
      ) {
        for (const argument of child.args)
          if (argument.type === 'Word' && /^\w+$/.test(argument.value)) variables.add(argument.value);
      }
    }
  });
  return { variables, folder };
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
