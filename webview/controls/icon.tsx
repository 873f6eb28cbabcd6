/** A codicon by name. Decoration: whatever it says must also be there in words. */
export function Icon({ name, spin = false, slot }: { name: string; spin?: boolean; slot?: string }) {
  const classes = `codicon codicon-${name}${spin ? ' codicon-modifier-spin' : ''}`;
  return <span class={classes} aria-hidden="true" {...(slot === undefined ? {} : { slot })} />;
}
