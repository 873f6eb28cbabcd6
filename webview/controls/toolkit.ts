import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeTextArea,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { createElement, type ComponentChildren, type HTMLAttributes, type Ref, type VNode } from 'preact';

/**
 * Registers the controls that the panel uses, wrapped by the components beside this file. Badge and progress ring are
 * left out on purpose: their templates carry style attributes, which the content security policy reports.
 */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeTextArea(), vsCodeTextField());
}

interface ControlAttributes extends HTMLAttributes<HTMLElement> {
  readonly appearance?: 'primary' | 'secondary';
  /** A property, not the attribute: the toolkit's button hands only the property on to the button inside it. */
  readonly ariaDisabled?: 'true' | 'false';
  readonly value?: string;
  readonly placeholder?: string;
  readonly maxlength?: number;
  readonly ref?: Ref<HTMLElement>;
}

/** One of the toolkit's elements. Here because Preact's types of JSX do not know them. */
export function control(
  name: 'vscode-button' | 'vscode-text-field' | 'vscode-text-area',
  attributes: ControlAttributes,
  ...children: ComponentChildren[]
): VNode {
  return createElement(name as string, attributes as HTMLAttributes<HTMLElement>, ...children);
}
