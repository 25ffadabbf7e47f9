import type { Command } from '../../api/types.ts';
import type { Roles } from '../../store/find.ts';
import { groupOf, numberOf } from '../../model/switcher.ts';
import { Act, Toggle, Troubles } from '../../ui/cap.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name } from '../../ui/value.tsx';
import { fpsOf, said, within } from './facts.ts';
import { Rate } from './transition.tsx';

/** Keyers are the upstream keyers of one M/E. */
export function Keyers({ device, roles, me }: { device: string; roles: Roles; me: string }) {
  const keyers = roles.list('av.keyer.on-air', me);
  if (keyers.length === 0) return null;
  return (
    <section class="keyers" aria-label={`Keyers, ${me.replace('me/', 'M/E ')}`}>
      {keyers.map((e) => {
        const group = groupOf(e.path);
        const n = numberOf(group);
        const type = within(roles, 'av.keyer.type', group);
        const fill = within(roles, 'av.keyer.fill', group);
        const key = within(roles, 'av.keyer.key', group);
        return (
          <div class="keyer" key={group}>
            <Toggle e={e} label={`Key ${n} on air`} class={`onair ${said(e) === true ? 'pgm' : ''}`}>
              <span class="short">KEY {n}</span>
              <span class="sub">{e.point.value?.value === true ? 'ON AIR' : 'off'}</span>
            </Toggle>
            <dl class="picks">
              {type && (
                <div>
                  <dt>
                    <Name e={type}>Type</Name>
                  </dt>
                  <dd>
                    <Pick e={type} label={`Type of key ${n}`} />
                  </dd>
                </div>
              )}
              {fill && (
                <div>
                  <dt>
                    <Name e={fill}>Fill</Name>
                  </dt>
                  <dd>
                    <Pick e={fill} label={`Fill of key ${n}`} />
                  </dd>
                </div>
              )}
              {key && (
                <div>
                  <dt>
                    <Name e={key}>Key</Name>
                  </dt>
                  <dd>
                    <Pick e={key} label={`Key source of key ${n}`} />
                  </dd>
                </div>
              )}
            </dl>
            <Troubles device={device} paths={[e.path, type?.path, fill?.path, key?.path]} />
          </div>
        );
      })}
    </section>
  );
}

interface Props {
  device: string;
  roles: Roles;
  find: (path: string) => Command | undefined;
}

/** Downstream is every downstream keyer, with TIE. */
export function Downstream({ device, roles, find }: Props) {
  const keyers = roles.list('av.dsk.on-air');
  if (keyers.length === 0) return null;
  const fps = fpsOf(roles);
  return (
    <section class="card downstream" aria-label="Downstream keyers">
      <h2>Downstream keyers</h2>
      {keyers.map((e) => {
        const group = groupOf(e.path);
        const n = numberOf(group);
        const tie = within(roles, 'av.dsk.tie', group);
        const rate = within(roles, 'av.dsk.rate', group);
        const fill = within(roles, 'av.dsk.fill', group);
        const key = within(roles, 'av.dsk.key', group);
        const auto = find(`${group}/auto`);
        const on = said(e) === true || said(within(roles, 'av.dsk.running', group)) === true;
        return (
          <div class="dsk" key={group}>
            {tie && (
              <Toggle e={tie} label={`Downstream key ${n} goes with the next transition`} class="next">
                TIE
              </Toggle>
            )}
            <Toggle e={e} label={`Downstream key ${n} on air`} class={`onair ${on ? 'pgm' : ''}`}>
              <span class="short">DSK {n}</span>
              <span class="sub">{e.point.value?.value === true ? 'ON AIR' : 'off'}</span>
            </Toggle>
            <Act device={device} c={auto} label={`Downstream key ${n} auto`} title={`DSK ${n} auto`}>
              AUTO
            </Act>
            {rate && <Rate e={rate} fps={fps} name="Rate" label={`Rate of downstream key ${n}`} />}
            <dl class="picks">
              {fill && (
                <div>
                  <dt>
                    <Name e={fill}>Fill</Name>
                  </dt>
                  <dd>
                    <Pick e={fill} label={`Fill of downstream key ${n}`} />
                  </dd>
                </div>
              )}
              {key && (
                <div>
                  <dt>
                    <Name e={key}>Key</Name>
                  </dt>
                  <dd>
                    <Pick e={key} label={`Key source of downstream key ${n}`} />
                  </dd>
                </div>
              )}
            </dl>
            <Troubles device={device} paths={[e.path, tie?.path, rate?.path, fill?.path, key?.path, auto?.path]} />
          </div>
        );
      })}
    </section>
  );
}
