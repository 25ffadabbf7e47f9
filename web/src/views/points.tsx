import { useEffect, useState } from 'preact/hooks';
import { forgotten, type Entry } from '../store/store.ts';
import { now } from '../store/clock.ts';
import { rolesOf } from '../store/find.ts';
import { followMeters } from '../store/meters.ts';
import { inspect, inspected } from '../store/inspect.ts';
import { onlyBad, search } from '../store/search.ts';
import { matches, parent, last } from '../model/tree.ts';
import { Commands } from '../ui/commands.tsx';
import { Value } from '../ui/value.tsx';

const most = 1500; // rows drawn at once; a search narrows more than that

/** Points is the whole tree of a device, with search. */
export function Points({ device }: { device: string }) {
  const again = forgotten.value;
  useEffect(() => followMeters(device, '500ms'), [device, again]);
  const sorted = rolesOf(device).all;
  const ofLink = (e: Entry) => e.path.startsWith('_'); // of the gateway, not of the device
  const all = [...sorted.filter((e) => !ofLink(e)), ...sorted.filter(ofLink)];
  if (onlyBad.value) now.value; // qualities are looked at once a second
  const found = all.filter((e) => wanted(e));
  const groups = new Map<string, Entry[]>();
  for (const e of found.slice(0, most)) {
    const under = parent(e.path);
    const group = groups.get(under);
    if (group) group.push(e);
    else groups.set(under, [e]);
  }
  return (
    <section class="points" aria-label="Points">
      <div class="finder">
        <label class="spoken" for="search">
          Search points
        </label>
        <input
          id="search"
          type="search"
          placeholder="Search path, title, role, unit"
          value={search.value}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <label class="check">
          <input type="checkbox" checked={onlyBad.value} onChange={(event) => (onlyBad.value = event.currentTarget.checked)} /> only what is not good
        </label>
        <span class="quiet" role="status">
          {found.length === all.length ? `${all.length} points` : `${found.length} of ${all.length}`}
          {found.length > most && `, the first ${most} shown`}
        </span>
      </div>
      {found.length === 0 && <p class="quiet pad">{all.length === 0 ? 'The device has not told its points yet.' : 'Nothing matches.'}</p>}
      {search.value === '' && !onlyBad.value && <Commands device={device} />}
      {[...groups].map(([under, entries]) => (
        <Group key={under} under={under} entries={entries} open={search.value !== '' || onlyBad.value} />
      ))}
    </section>
  );
}

function wanted(e: Entry): boolean {
  if (onlyBad.value && (e.point.peek()?.quality ?? 'bad') === 'good') return false;
  const spec = e.spec.peek();
  return search.value === '' || matches(search.value, [e.path, spec.title, spec.role, spec.unit, spec.grade, spec.hazard]);
}

function Group({ under, entries, open: forced }: { under: string; entries: Entry[]; open: boolean }) {
  const [open, setOpen] = useState(true);
  const shown = open || forced;
  return (
    <section class="group">
      <h2>
        <button type="button" aria-expanded={shown} onClick={() => setOpen(!open)}>
          <span class="twist" aria-hidden="true" />
          {under || 'device'}
          <span class="quiet"> {entries.length}</span>
        </button>
      </h2>
      {shown && (
        <ul>
          {entries.map((e) => (
            <PointRow key={e.path} e={e} />
          ))}
        </ul>
      )}
    </section>
  );
}

function PointRow({ e }: { e: Entry }) {
  const spec = e.spec.value;
  const chosen = inspected.value?.path === e.path;
  return (
    <li class={`pointrow ${chosen ? 'chosen' : ''}`}>
      <button type="button" class="pointname" aria-label={`${e.path}, details`} onClick={() => inspect(e.device, e.path)}>
        <span class="seg">{last(e.path)}</span>
        {spec.title && <span class="quiet title">{spec.title}</span>}
      </button>
      <Value e={e} />
      <span class="flags">
        {spec.writable && <span class="flag" title="writable here">set</span>}
        {spec.hazard && <span class={`flag ${spec.hazard}`}>{spec.hazard}</span>}
        {spec.grade && (
          <span class={`grade ${spec.grade}`} title="evidence behind what is said about the wire">
            {spec.grade}
          </span>
        )}
      </span>
    </li>
  );
}
