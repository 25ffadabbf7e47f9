import type { Entry } from '../../store/store.ts';
import { Cap, Toggle, Troubles } from '../../ui/cap.tsx';
import { labelsOf, Pick } from '../../ui/pick.tsx';
import { Name } from '../../ui/value.tsx';
import { LongName } from '../../ui/longname.tsx';
import { pairsOf } from '../../model/audio.ts';
import { parent } from '../../model/tree.ts';
import { leads, linked, linkOf, nameOf, on, type Channels } from './facts.ts';
import { Level } from './level.tsx';
import { MeterOf } from './meters.tsx';

const preamp = ['audio.air', 'audio.air-mode', 'audio.pad', 'audio.phantom', 'audio.instrument', 'audio.line-mode', 'audio.auto-gain', 'audio.clip-safe'];
const isInput = (at: string) => /(^|\/)inputs\//.test(at) && !/(^|\/)(mixer|mixes)\//.test(at);

/** Inputs are the strips of everything with a preamplifier, and the meters of the rest. */
export function Inputs({ device, channels }: { device: string; channels: Channels }) {
  const strips = channels.those(...preamp).concat(channels.those('audio.gain').filter((at) => isInput(at) && !channels.those(...preamp).includes(at)));
  const rest = channels.those('audio.meter').filter((at) => isInput(at) && !strips.includes(at));
  if (strips.length === 0 && rest.length === 0) return null;
  return (
    <section class="card inputs" aria-label="Inputs">
      <h2>Inputs</h2>
      {strips.length > 0 && (
        <div class="strips">
          {strips.map((at) => (
            <Strip key={at} device={device} channels={channels} at={at} />
          ))}
        </div>
      )}
      {rest.length > 0 && (
        <ul class="bridge" aria-label="Levels of the other inputs">
          {rest.map((at) => (
            <li key={at}>
              <MeterOf e={channels.of(at, 'audio.meter')!} name={nameOf(channels, at)} />
              <Name e={channels.of(at, 'audio.meter')!}>{nameOf(channels, at)}</Name>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Strip({ device, channels, at }: { device: string; channels: Channels; at: string }) {
  const of = (role: string) => channels.of(at, role);
  const name = nameOf(channels, at);
  const gain = of('audio.gain');
  const meter = of('audio.meter');
  const title = of('audio.name') ?? meter ?? gain;
  const shown = [of('audio.instrument'), of('audio.line-mode'), of('audio.air'), of('audio.air-mode'), of('audio.pad'), of('audio.phantom'), of('audio.auto-gain'), of('audio.clip-safe'), of('audio.mute')];
  const [inst, mode, air, airMode, pad, phantom, auto, safe, mute] = shown;
  const clip = of('audio.clip');
  return (
    <div class="strip" role="group" aria-label={name}>
      <div class="stripname">
        {title ? (
          <Name e={title}>
            <LongName name={name} most={26} />
          </Name>
        ) : (
          name
        )}
      </div>
      <div class="stripmain">
        {meter && <MeterOf e={meter} name={name} />}
        {gain && <Level channels={channels} e={gain} name={name} rest={0} />}
        {clip && on(clip) && <span class="clipword">CLIP</span>}
      </div>
      <div class="stripkeys">
        {mode && <Modes e={mode} name={name} />}
        {inst && (
          <Toggle e={inst} label={`${name}, instrument`} class="plain-on">
            INST
          </Toggle>
        )}
        {air && (
          <Toggle e={air} label={`${name}, air`} class="plain-on">
            AIR
          </Toggle>
        )}
        {airMode && <Pick e={airMode} label={`${name}, kind of air`} />}
        {pad && (
          <Toggle e={pad} label={`${name}, pad`} class="plain-on">
            PAD
          </Toggle>
        )}
        {phantom && (
          <Toggle e={phantom} label={`${name}, 48 volts`} class={on(phantom) ? 'pgm' : ''}>
            48V
          </Toggle>
        )}
        {auto && (
          <Toggle e={auto} label={`${name}, automatic gain`} class="plain-on">
            AUTO
          </Toggle>
        )}
        {safe && (
          <Toggle e={safe} label={`${name}, clip safe`} class="plain-on">
            SAFE
          </Toggle>
        )}
        {mute && (
          <Toggle e={mute} label={`${name}, mute`} class={on(mute) ? 'pgm' : ''} safeOn>
            MUTE
          </Toggle>
        )}
      </div>
      <Troubles device={device} paths={[gain?.path, ...shown.map((e) => e?.path)]} />
    </div>
  );
}

/** Modes are a button for each of few, and a list of more. */
function Modes({ e, name }: { e: Entry; name: string }) {
  const labels = labelsOf(e);
  if (labels.length === 0 || labels.length > 3) return <Pick e={e} label={`${name}, mode`} />;
  const now = String(e.point.value?.value ?? '');
  return (
    <>
      {labels.map((l) => (
        <Cap key={l.key} e={e} value={l.key} text={l.text || l.key} chosen={l.key === now} class="plain-on" label={`${name}, ${l.text || l.key}`} title={l.text}>
          {(l.short || l.text || l.key).replace(/^inst.*/i, 'INST').toUpperCase().slice(0, 8)}
        </Cap>
      ))}
    </>
  );
}

/** Outputs are the levels, mutes and sources of what leaves the device. */
export function Outputs({ device, channels }: { device: string; channels: Channels }) {
  const all = channels.those('audio.output.source', 'audio.gain', 'audio.mute').filter((at) => !isInput(at) && !/(^|\/)(mixer|mixes|monitoring)(\/|$)/.test(at));
  if (all.length === 0) return null;
  const together = (at: string, i: number) => linked(channels, at) && leads(linkOf(channels, at)!, i) && parent(at) === parent(all[i + 1]!);
  const rows = pairsOf(all, together);
  return (
    <section class="card rows-audio" aria-label="Outputs">
      <h2>Outputs</h2>
      <ul>
        {rows.map(([at, right]) => (
          <Output key={at} device={device} channels={channels} at={at!} right={right} place={all.indexOf(at!)} />
        ))}
      </ul>
    </section>
  );
}

interface OutputProps {
  device: string;
  channels: Channels;
  at: string;
  right: string | undefined; // the other one of a linked pair
  place: number;
}

/** Output is one output, or a linked pair: the left one counts for both, and only the meters are two. */
function Output({ device, channels, at, right, place }: OutputProps) {
  const gain = channels.of(at, 'audio.gain');
  const mute = channels.of(at, 'audio.mute');
  const source = channels.of(at, 'audio.output.source');
  const link = linkOf(channels, at);
  const name = nameOf(channels, at, right !== undefined);
  const first = gain ?? source ?? mute;
  const meters = [at, right].flatMap((one) => (one ? (channels.of(one, 'audio.meter') ?? []) : []));
  return (
    <li class="mixrow" role="group" aria-label={name}>
      <span class="rowtitle">
        {first && (
          <Name e={first}>
            <LongName name={name} most={26} />
          </Name>
        )}
      </span>
      {meters.length > 0 && (
        <span class="meters">
          {meters.map((e, i) => (
            <MeterOf key={e.path} e={e} name={meters.length > 1 ? `${name}, ${i === 0 ? 'left' : 'right'}` : name} flat />
          ))}
        </span>
      )}
      {gain && <Level channels={channels} e={gain} name={name} flat />}
      <span class="rowkeys">
        {mute && (
          <Toggle e={mute} label={`${name}, mute`} class={on(mute) ? 'pgm' : ''} safeOn>
            MUTE
          </Toggle>
        )}
        {link && <Link e={link} name={name} leading={leads(link, place)} />}
      </span>
      {source && <Pick e={source} label={`Source of ${name}`} />}
      <Troubles device={device} paths={[gain?.path, mute?.path, source?.path, link?.path]} />
    </li>
  );
}

/** Link makes a pair of a channel and the next, or two again. Where only the one before can, its place is kept free. */
export function Link({ e, name, leading }: { e: Entry; name: string; leading: boolean }) {
  if (!leading) return <span class="keyspace" aria-hidden="true" />;
  return (
    <Toggle e={e} label={`${name}, linked as a pair`} class="plain-on">
      LINK
    </Toggle>
  );
}
