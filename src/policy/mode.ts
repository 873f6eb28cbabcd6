/**
 * How far the agent may go by itself.
 * - `locked`: no command at all.
 * - `sandboxed`: commands run inside the walls. `asks` is what is asked: `everything`, `notAllowed` (what neither a
 *   rule nor the built-in list allows; the default), or only what is `leaving` the sandbox ("contained").
 * - `unrestricted`: no sandbox; what is not allowed is asked, and nothing is taken to be masked.
 */
export type PolicyMode =
  | { readonly kind: 'locked' }
  | { readonly kind: 'sandboxed'; readonly asks: 'everything' | 'notAllowed' | 'leaving' }
  | { readonly kind: 'unrestricted' };

export const defaultMode: PolicyMode = { kind: 'sandboxed', asks: 'notAllowed' };
