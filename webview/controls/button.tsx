import type { ComponentChildren, Ref } from 'preact';
import { Icon } from './icon.tsx';
import { control } from './toolkit.ts';

interface ButtonProps {
  readonly onPress: () => void;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'secondary';
  readonly icon?: string;
  readonly class?: string;
  readonly title?: string;
  /** Visible and reachable, but pressing does nothing (yet). */
  readonly inactive?: boolean;
  readonly buttonRef?: Ref<HTMLElement>;
}

/** The toolkit's button with words on it. */
export function Button(props: ButtonProps) {
  const { onPress, children, kind = 'secondary', icon, inactive = false, title, buttonRef } = props;
  return control(
    'vscode-button',
    {
      appearance: kind,
      class: props.class ?? '',
      ariaDisabled: inactive ? 'true' : 'false',
      onClick: () => inactive || onPress(),
      ...(title === undefined ? {} : { title }),
      ...(buttonRef === undefined ? {} : { ref: buttonRef }),
    },
    icon === undefined ? null : <Icon name={icon} slot="start" />,
    children,
  );
}

interface IconButtonProps {
  readonly onPress: () => void;
  readonly icon: string;
  /** The accessible name, and the tooltip. */
  readonly label: string;
  readonly class?: string;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

/** A button that is only an icon. Plain, because the toolkit's cannot be made smaller or tell that it is disabled. */
export function IconButton({
  onPress,
  icon,
  label,
  expanded,
  disabled = false,
  buttonRef,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${rest.class ?? ''}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onPress}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
      {...(buttonRef === undefined ? {} : { ref: buttonRef })}
    >
      <Icon name={icon} />
    </button>
  );
}
