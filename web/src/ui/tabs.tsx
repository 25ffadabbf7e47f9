import { rolesOf } from '../store/find.ts';
import { addressOf, route } from '../store/route.ts';
import { isOfClients } from '../model/clients.ts';

const all = [
  { id: '', name: 'Panel' },
  { id: 'points', name: 'Points' },
  { id: 'clients', name: 'Clients' },
  { id: 'link', name: 'Link' },
  { id: 'log', name: 'Log' },
] as const;

/** tabsOf are the tabs of a device, in the order of the keys 1 to 5. Clients is there when the device is served to others. */
export function tabsOf(device: string, tab: string): readonly { id: string; name: string }[] {
  const served = tab === 'clients' || rolesOf(device).all.some((e) => isOfClients(e.path));
  return all.filter((t) => t.id !== 'clients' || served);
}

export function Tabs() {
  const { device, tab } = route.value;
  return (
    <nav class="tabs" aria-label="Views of the device">
      {tabsOf(device, tab).map((t) => (
        <a key={t.id} href={addressOf(device, t.id)} aria-current={t.id === tab ? 'page' : undefined}>
          {t.name}
        </a>
      ))}
    </nav>
  );
}
