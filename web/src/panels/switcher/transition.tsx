import type { Command } from '../../api/types.ts';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { rateOf, rateText } from '../../model/switcher.ts';
import { words } from '../../model/format.ts';
import { last } from '../../model/tree.ts';
import { Act, Cap, Toggle, Troubles } from '../../ui/cap.tsx';
import { Exact } from '../../ui/exact.tsx';
import { Fader, type Scale } from '../../ui/fader.tsx';
import { labelsOf } from '../../ui/pick.tsx';
import { Name, Value } from '../../ui/value.tsx';
import { fpsOf, said, textOf, within } from './facts.ts';

const bar: Scale = { place: (v) => v, value: (p) => Math.round(p * 10_000) / 10_000, step: 0.05, fine: 0.01 };

interface Props {
  device: string;
  roles: Roles;
  me: string;
  find: (path: string) => Command | undefined;
}

/** Transition is what stands at the right of the buses: CUT, AUTO, rate, style, T-bar and what takes part next. */
export function Transition({ device, roles, me, find }: Props) {
  const one = (role: string) => within(roles, role, me);
  const style = one('av.transition.style');
  const position = one('av.transition.position');
  const rate = one('av.transition.rate');
  const running = said(one('av.transition.running')) === true;
  const left = one('av.transition.frames-left');
  const look = one('av.transition.preview');
  const layers = roles.list('av.transition.layer', me);
  const fps = fpsOf(roles);
  const cut = find(`${me}/cut`);
  const auto = find(`${me}/auto`);
  if (!cut && !auto && !style && !position && !rate) return null;
  return (
    <section class="transition" aria-label={`Transition, ${me.replace('me/', 'M/E ')}`}>
      <div class="tmain">
        <div class="fire">
          <Act device={device} c={cut} label="Cut" title="Cut" class="big">
            CUT
          </Act>
          <Act device={device} c={auto} label="Auto transition" title="Auto" class={`big ${running ? 'pgm chosen' : ''}`}>
            AUTO
            {running && <span class="sub digits">{rateText(Number(said(left) ?? NaN), fps)}</span>}
          </Act>
        </div>
        {rate && <Rate e={rate} fps={fps} name="Rate" label="Rate of the transition" />}
        {style && (
          <div class="tgroup">
            <Name e={style}>Style</Name>
            <div class="keyset" role="group" aria-label="Style of the transition">
              {labelsOf(style).map((l) => (
                <Cap key={l.key} e={style} value={l.key} text={l.text} chosen={textOf(style) === l.key} class="next" label={l.text || l.key}>
                  {(l.short || l.text || l.key).toUpperCase()}
                </Cap>
              ))}
            </div>
          </div>
        )}
        {layers.length > 0 && (
          <div class="tgroup">
            <span class="quiet">Next transition</span>
            <div class="keyset" role="group" aria-label="What takes part in the next transition">
              {layers.map((e) => (
                <Toggle key={e.path} e={e} label={`${layerName(e)} takes part`} class="next">
                  {layerName(e)}
                </Toggle>
              ))}
              {look && (
                <Toggle e={look} label="Transition on the preview bus" class="next">
                  PREV TRANS
                </Toggle>
              )}
            </div>
          </div>
        )}
      </div>
      {position && (
        <div class="tbar">
          <Name e={position}>T-bar</Name>
          <Fader
            e={position}
            label="T-bar"
            scale={bar}
            now={Number(position.point.value?.value ?? 0)}
            say={(v) => `${Math.round(v * 100)} percent`}
            class={Number(said(position) ?? 0) > 0 ? 'moving' : ''}
            once
          />
          <span class="digits">{Math.round(Number(position.point.value?.value ?? 0) * 100)} %</span>
        </div>
      )}
      <Troubles device={device} paths={[cut?.path, auto?.path, position?.path, rate?.path, style?.path, look?.path, ...layers.map((e) => e.path)]} />
    </section>
  );
}

/** Rate is the length of a transition as s:ff. */
export function Rate({ e, fps, name, label }: { e: Entry; fps: number; name: string; label: string }) {
  const spec = e.spec.value;
  const range = spec.max ? `${rateText(spec.min ?? 0, fps)} to ${rateText(spec.max, fps)}` : '';
  return (
    <div class="rate">
      <Name e={e}>{name}</Name>
      <Exact e={e} label={label} wanted={range} read={(text) => rateOf(text, fps, spec.min ?? 0, spec.max ?? 0)}>
        <Value e={e} written={rateText(Number(e.point.value?.value ?? NaN), fps)} />
      </Exact>
    </div>
  );
}

/** layerName is what stands on the key: BKGD, KEY 1. */
function layerName(e: Entry): string {
  const name = last(e.path);
  return name === 'background' ? 'BKGD' : words(name).toUpperCase();
}
