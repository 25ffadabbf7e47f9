import { takeMeters } from './store.ts';

/**
 * followMeters reads the levels of a device until the returned function is called. They are left out of the stream of the
 * tab, so that a device makes none while nobody looks at them.
 */
export function followMeters(device: string, every: string): () => void {
  const query = new URLSearchParams({ device, role: 'audio.meter', every });
  const source = new EventSource(`/api/v1/events?${query}`);
  source.addEventListener('specs', (event) => takeMeters('specs', JSON.parse((event as MessageEvent<string>).data)));
  source.addEventListener('points', (event) => takeMeters('points', JSON.parse((event as MessageEvent<string>).data)));
  return () => source.close();
}
