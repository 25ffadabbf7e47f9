import { useState } from 'preact/hooks';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { Toggle, Troubles } from '../../ui/cap.tsx';
import { Exact } from '../../ui/exact.tsx';
import { Fader, type Scale } from '../../ui/fader.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name, Value } from '../../ui/value.tsx';
import { last, parent } from '../../model/tree.ts';
import { pairsOf, panText } from '../../model/audio.ts';
import { hasRange } from '../../model/entry.ts';
import { leads, linked, linkOf, on, type Channels } from './facts.ts';
import { Level } from './level.tsx';
import { MeterOf } from './meters.tsx';
import { Link } from './strips.tsx';

interface Props {
  device: string;
  channels: Channels;
  roles: Roles;
}

/** Mixer is one mix at a time, its slots as rows. Slots that nothing feeds are kept apart. */
export function Mixer({ device, channels, roles }: Props) {
  const slots = channels.those('audio.mix.gain');
  const mixes = [...new Set(slots.map(mixOf))];
  const [wanted, setWanted] = useState('');
  const [all, setAll] = useState(false);
  if (mixes.length === 0) return null;
  const mix = mixes.includes(wanted) ? wanted : mixes[0]!;
  const rows = slots.filter((at) => mixOf(at) === mix);
  const sources = new Map(roles.list('audio.mix.source').map((e) => [parent(e.path), e]));
  // A slot has its source beside its level, or once for all mixes under the same number.
  const sourceOf = (at: string) => sources.get(at) ?? [...sources].find(([where]) => last(where) === last(at) && !where.includes('/mixes/'))?.[1];
  // So has its link.
  const homeOf = (at: string) => {
    const source = sourceOf(at);
    return linkOf(channels, at) || !source ? at : parent(source.path);
  };
  const isPair = (at: string, place: number) => linked(channels, homeOf(at)) && leads(linkOf(channels, homeOf(at))!, place);
  const isFree = (at: string) => /^(none|off|0|)$/i.test(String(sourceOf(at)?.point.value?.value ?? '-'));
  const pairs = pairsOf(rows, isPair);
  const lead = pairs.map(([at]) => at!);
  const free = lead.filter(isFree);
  const shown = all || free.length === lead.length ? lead : lead.filter((at) => !isFree(at));
  const master = channels.of(mix, 'audio.gain') ?? channels.of(mix, 'audio.mix.gain');
  const masterMute = channels.of(mix, 'audio.mute');
  const meter = channels.of(mix, 'audio.meter');
  return (
    <section class="card rows-audio mixer" aria-label="Mixer">
      <h2>Mixer</h2>
      {mixes.length > 1 && (
        <div class="segments" role="group" aria-label="Mix">
          {mixes.map((m) => (
            <button type="button" key={m} aria-pressed={m === mix} onClick={() => setWanted(m)}>
              {last(m).toUpperCase()}
            </button>
          ))}
        </div>
      )}
      {(master || masterMute || meter) && (
        <div class="mixrow master" role="group" aria-label={`Mix ${last(mix).toUpperCase()}`}>
          <span class="rowtitle">{master ? <Name e={master}>Mix {last(mix).toUpperCase()}</Name> : `Mix ${last(mix).toUpperCase()}`}</span>
          {meter && (
            <span class="meters">
              <MeterOf e={meter} name={`mix ${last(mix).toUpperCase()}`} flat />
            </span>
          )}
          {master && <Level channels={channels} e={master} name={`mix ${last(mix)}`} flat rest={0} />}
          <span class="rowkeys">
            {masterMute && (
              <Toggle e={masterMute} label={`Mix ${last(mix)}, mute`} class={on(masterMute) ? 'pgm' : ''} safeOn>
                MUTE
              </Toggle>
            )}
          </span>
        </div>
      )}
      <ul>
        {shown.map((at) => (
          <Slot
            key={at}
            device={device}
            channels={channels}
            at={at}
            source={sourceOf(at)}
            link={linkOf(channels, homeOf(at))}
            right={pairs.find(([left]) => left === at)?.[1]}
            place={rows.indexOf(at)}
          />
        ))}
      </ul>
      {free.length > 0 && free.length < lead.length && (
        <button type="button" class="small" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Hide' : 'Show'} {free.length} free {free.length === 1 ? 'slot' : 'slots'}
        </button>
      )}
    </section>
  );
}

/** mixOf is the mix that a slot belongs to: mixer/mixes/a of mixer/mixes/a/inputs/3. */
function mixOf(at: string): string {
  const parts = at.split('/');
  const i = parts.lastIndexOf('inputs');
  return i > 0 ? parts.slice(0, i).join('/') : parent(at);
}

interface SlotProps {
  device: string;
  channels: Channels;
  at: string;
  source: Entry | undefined;
  link: Entry | undefined;
  right: string | undefined; // the other one of a linked pair
  place: number;
}

function Slot({ device, channels, at, source, link, right, place }: SlotProps) {
  const gain = channels.of(at, 'audio.mix.gain')!;
  const pan = channels.of(at, 'audio.mix.pan') ?? channels.beside(at, 'pan');
  const mute = channels.of(at, 'audio.mix.mute');
  const solo = channels.of(at, 'audio.mix.solo');
  const n = last(at);
  const name = `slot ${n}${right ? ` and ${last(right)}` : ''}`;
  return (
    <li class="mixrow" role="group" aria-label={name}>
      <span class="rowtitle">
        <Name e={gain}>
          {n}
          {right && `+${last(right)}`}
        </Name>
        {source && <Pick e={source} label={`Source of ${name}`} />}
      </span>
      <Level channels={channels} e={gain} name={name} flat rest={0} />
      <span class="rowkeys">
        {mute && (
          <Toggle e={mute} label={`${name}, mute`} class={on(mute) ? 'pgm' : ''} safeOn>
            MUTE
          </Toggle>
        )}
        {solo && (
          <Toggle e={solo} label={`${name}, solo`} class="next">
            SOLO
          </Toggle>
        )}
        {link && <Link e={link} name={name} leading={leads(link, place)} />}
      </span>
      {pan && <Pan e={pan} name={name} />}
      <Troubles device={device} paths={[gain.path, mute?.path, solo?.path, source?.path, pan?.path, link?.path]} />
    </li>
  );
}

/** Pan is a way from left to right, or where the device does not say how far that goes, its bare number. */
function Pan({ e, name }: { e: Entry; name: string }) {
  const spec = e.spec.value;
  if (!hasRange(spec)) {
    return (
      <span class="pan bare">
        <Name e={e}>Pan</Name>
        <Exact e={e} label={`Place of ${name}, in steps of the device`} wanted="whole steps of the device; 0 is the middle">
          <Value e={e} why={false} />
        </Exact>
      </span>
    );
  }
  const most = Math.max(Math.abs(spec.max ?? 0), 1);
  const scale: Scale = { place: (v) => (v / most + 1) / 2, value: (p) => Math.round((p * 2 - 1) * most * 100) / 100, step: most / 10, fine: most / 100 };
  const now = Number(e.point.value?.value ?? 0);
  return (
    <span class="pan">
      <Fader e={e} label={`Place of ${name}`} scale={scale} now={now} say={(v) => panText(v, most)} class="flat" rest={0} />
      <span class="digits">{panText(now, most)}</span>
    </span>
  );
}
