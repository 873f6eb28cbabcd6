import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { control } from './toolkit.ts';

interface TextProps {
  /** The accessible name; also shown while the field is empty. */
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** Enter (never while an input method composes). */
  readonly onEnter?: () => void;
  readonly onEscape?: () => void;
  readonly maxLength: number;
  readonly class?: string;
  /** Take the keyboard when it appears: only where the user asked for this field. */
  readonly autoFocus?: boolean;
}

/** The toolkit's text field of one line. */
export function TextField(props: TextProps) {
  const field = useNamed(props);
  return control('vscode-text-field', { ref: field, ...attributes(props) });
}

/** The toolkit's text area; Enter still answers, Shift+Enter breaks the line. */
export function TextArea(props: TextProps) {
  const field = useNamed(props);
  return control('vscode-text-area', { ref: field, ...attributes(props) });
}

function attributes(props: TextProps) {
  return {
    class: `text-field ${props.class ?? ''}`,
    value: props.value,
    placeholder: props.label,
    maxlength: props.maxLength,
    onInput: (event: Event) => props.onInput(valueOf(event.currentTarget)),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.isComposing) return;
      if (event.key === 'Enter' && !event.shiftKey && props.onEnter !== undefined) {
        event.preventDefault();
        event.stopPropagation();
        props.onEnter();
      }
      if (event.key === 'Escape' && props.onEscape !== undefined) {
        event.stopPropagation();
        props.onEscape();
      }
    },
  };
}

// The toolkit names a field without visible label "Text field" as it connects; ours comes after that.
function useNamed({ label, autoFocus = false }: TextProps): RefObject<HTMLElement | null> {
  const field = useRef<HTMLElement>(null);
  useLayoutEffect(() => field.current?.setAttribute('aria-label', label), [label]);
  useLayoutEffect(() => {
    if (autoFocus) queueMicrotask(() => field.current?.focus());
  }, []);
  return field;
}

function valueOf(target: EventTarget | null): string {
  const value: unknown = target === null ? '' : Reflect.get(target, 'value');
  return typeof value === 'string' ? value : '';
}
