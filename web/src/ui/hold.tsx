import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

interface Props {
  seconds: number;
  onHeld: () => void;
  label: string;
  class?: string;
  disabled?: boolean;
  id?: string;
  children: ComponentChildren;
}

/** Hold is a button that acts after being held, by pointer or key. Letting go early, or outside, cancels. */
export function Hold({ seconds, onHeld, label, disabled, children, id, class: cls = '' }: Props) {
  const [held, setHeld] = useState(false);
  const timer = useRef(0);

  const stop = () => {
    clearTimeout(timer.current);
    timer.current = 0;
    setHeld(false);
  };
  const start = () => {
    if (disabled || timer.current) return;
    setHeld(true);
    timer.current = window.setTimeout(() => {
      stop();
      onHeld();
    }, seconds * 1000);
  };
  useEffect(() => stop, []);

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const button = event.currentTarget as HTMLElement;
    button.setPointerCapture(event.pointerId);
    start();
  };
  const move = (event: PointerEvent) => {
    if (!timer.current) return;
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) stop();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (event.type === 'keyup') stop();
    else if (!event.repeat) start();
  };

  return (
    <button
      type="button"
      id={id}
      class={`hold ${held ? 'held' : ''} ${cls}`}
      style={{ '--hold': `${seconds}s` }}
      aria-label={label}
      disabled={disabled}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={stop}
      onPointerCancel={stop}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={key}
      onKeyUp={key}
      onBlur={stop}
    >
      <span class="hold-fill" aria-hidden="true" />
      <span class="hold-label">{children}</span>
    </button>
  );
}
