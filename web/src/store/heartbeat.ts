import { signal } from '@preact/signals';

/** Pulse is the proof that a value is from now: when the gateway last gave it, and how often. */
export interface Pulse {
  at: number; // performance.now() of the newest answer; 0 none yet
  beats: number;
  value: unknown;
  quality: string;
}

export const pulse = signal<Pulse>({ at: 0, beats: 0, value: undefined, quality: 'bad' });

const every = 300;
const patience = 600;

/**
 * followPulse asks for one value over and over until the returned function is called. The event stream tells of changes,
 * but its silence only shows after seconds; an answer to a question shows at once that everything on the way is alive.
 */
export function followPulse(device: string, path: string): () => void {
  let over = false;
  let timer = 0;
  pulse.value = { at: 0, beats: 0, value: undefined, quality: 'bad' };
  const address = `/api/v1/devices/${encodeURIComponent(device)}/value?path=${path.split('/').map(encodeURIComponent).join('/')}`;
  const ask = async () => {
    const began = performance.now();
    try {
      const answer = await fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
      const point = answer.ok ? ((await answer.json()) as { value?: unknown; quality?: string }) : null;
      if (over) return;
      if (point) pulse.value = { at: performance.now(), beats: pulse.peek().beats + 1, value: point.value, quality: point.quality ?? 'bad' };
    } catch {
      if (over) return;
    }
    timer = window.setTimeout(() => void ask(), Math.max(50, every - (performance.now() - began)));
  };
  void ask();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
