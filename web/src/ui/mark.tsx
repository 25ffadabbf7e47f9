import type { Mark as Kind } from '../model/cnc.ts';

const shapes: Record<Kind, string> = {
  run: 'M5 3 L18 10 L5 17 Z',
  hold: 'M4 3 H8 V17 H4 Z M12 3 H16 V17 H12 Z',
  idle: 'M10 3 A7 7 0 1 0 10.01 3 Z M10 5.500 A4.500 4.500 0 1 1 9.990 5.500 Z',
  hand: 'M10 2 L18 10 L10 18 L2 10 Z M10 5.200 L5.200 10 L10 14.800 L14.800 10 Z',
  alarm: 'M10 2 L19 18 H1 Z M9 7.500 V12.500 H11 V7.500 Z M9 14 V16 H11 V14 Z',
  stop: 'M6.500 2 H13.500 L18 6.500 V13.500 L13.500 18 H6.500 L2 13.500 V6.500 Z M6 9 V11 H14 V9 Z',
  lost: 'M3 4.500 L4.500 3 L17 15.500 L15.500 17 Z M15.500 3 L17 4.500 L4.500 17 L3 15.500 Z',
};

/** Mark is the shape that goes with each plain word, so that colour is never alone. */
export function Mark({ kind }: { kind: Kind }) {
  return (
    <svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
      <path d={shapes[kind]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
