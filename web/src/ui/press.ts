/** press makes a button act when it goes down, and once: pointers by pointerdown, keys and assistive tools by click. */
export function press(act: () => void) {
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0) act();
    },
    onClick: (event: MouseEvent) => {
      if (event.detail === 0) act();
    },
  };
}
