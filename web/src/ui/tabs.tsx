import { addressOf, route } from '../store/route.ts';

/** The tabs of a device. Their order is that of the keys 1 to 4. */
export const tabs = [
  { id: '', name: 'Panel' },
  { id: 'points', name: 'Points' },
  { id: 'link', name: 'Link' },
  { id: 'log', name: 'Log' },
] as const;

export function Tabs() {
  const { device, tab } = route.value;
  return (
    <nav class="tabs" aria-label="Views of the device">
      {tabs.map((t) => (
        <a key={t.id} href={addressOf(device, t.id)} aria-current={t.id === tab ? 'page' : undefined}>
          {t.name}
        </a>
      ))}
    </nav>
  );
}
