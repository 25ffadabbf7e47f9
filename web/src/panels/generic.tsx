import type { Entry } from '../store/store.ts';
import { linkOf, rolesOf } from '../store/find.ts';
import { isPairing } from '../model/pairing.ts';
import { parent, last } from '../model/tree.ts';
import { addressOf } from '../store/route.ts';
import { Commands } from '../ui/commands.tsx';
import { Reading } from '../ui/value.tsx';

/** GenericPanel is for a device that nobody planned for: everything that carries a role, grouped as the device has it. */
export function GenericPanel({ device }: { device: string }) {
  const all = rolesOf(device).all.filter((e) => !e.path.startsWith('_'));
  const tagged = all.filter((e) => e.spec.peek().role);
  const shown = (tagged.length > 0 ? tagged : all).slice(0, 200);
  const waiting = linkOf(device).state === 'waiting';
  const groups = new Map<string, Entry[]>();
  for (const e of shown) {
    if (waiting && isPairing(e.path)) continue; // said above the panel
    const under = parent(e.path);
    groups.set(under, [...(groups.get(under) ?? []), e]);
  }
  return (
    <section class="generic" aria-label="Panel">
      {[...groups].map(([under, entries]) => (
        <section class="card" key={under}>
          <h2>{under || device}</h2>
          <dl class="readings">
            {entries.map((e) => (
              <Reading key={e.path} e={e} name={e.spec.value.title || last(e.path)} />
            ))}
          </dl>
        </section>
      ))}
      <Commands device={device} panel />
      <p class="quiet">
        {all.length > shown.length ? `${all.length - shown.length} more are in ` : 'Everything is also in '}
        <a href={addressOf(device, 'points')}>Points</a>.
      </p>
    </section>
  );
}
