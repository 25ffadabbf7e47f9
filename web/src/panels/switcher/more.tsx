import type { Command } from '../../api/types.ts';
import type { Entry } from '../../store/store.ts';
import type { Roles } from '../../store/find.ts';
import { groupOf, numberOf } from '../../model/switcher.ts';
import { words } from '../../model/format.ts';
import { Act, Toggle, Troubles } from '../../ui/cap.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name, Reading } from '../../ui/value.tsx';
import { said, within } from './facts.ts';

interface Props {
  device: string;
  roles: Roles;
  find: (path: string) => Command | undefined;
}

/** Routes are outputs or players, each with the one source it has. */
export function Routes({ device, list, title, name }: { device: string; list: Entry[]; title: string; name: string }) {
  if (list.length === 0) return null;
  return (
    <section class="card routes" aria-label={title}>
      <h2>{title}</h2>
      <dl class="picks">
        {list.map((e) => {
          const n = `${name} ${numberOf(groupOf(e.path))}`;
          return (
            <div key={e.path}>
              <dt>
                <Name e={e}>{n}</Name>
              </dt>
              <dd>
                <Pick e={e} label={`Source of ${n}`} />
              </dd>
            </div>
          );
        })}
      </dl>
      <Troubles device={device} paths={list.map((e) => e.path)} />
    </section>
  );
}

/** Boxes are those of the SuperSources. */
export function Boxes({ device, roles }: { device: string; roles: Roles }) {
  const boxes = roles.list('av.supersource.box');
  if (boxes.length === 0) return null;
  return (
    <section class="card boxes" aria-label="SuperSource">
      <h2>SuperSource</h2>
      {boxes.map((e) => {
        const group = groupOf(e.path);
        const n = numberOf(group);
        const source = within(roles, 'av.supersource.source', group);
        return (
          <div class="box" key={group}>
            <Toggle e={e} label={`Box ${n} shown`} class="plain-on">
              BOX {n}
            </Toggle>
            {source && <Pick e={source} label={`Source of box ${n}`} />}
            <Troubles device={device} paths={[e.path, source?.path]} />
          </div>
        );
      })}
    </section>
  );
}

/** Macros are those that have a name, each a button that runs it; deleting and recording want a hold. */
export function Macros({ device, roles, find }: Props) {
  const macros = roles.list('av.macro.name').filter((e) => find(`${groupOf(e.path)}/run`) && said(e) !== '');
  const running = roles.one('av.macro.running');
  const recording = roles.one('av.macro.recording');
  const stop = find('macros/stop');
  const text = (e: Entry | undefined) => {
    const point = e?.point.value;
    const key = String(said(e) ?? '');
    return key === '' || key === 'none' || key === 'off' || key === '-1' ? '' : (point?.label ?? key);
  };
  const now = text(running);
  const taken = text(recording);
  if (macros.length === 0 && !now && !taken) return null;
  return (
    <section class="card macros" aria-label="Macros">
      <h2>Macros</h2>
      {(now || taken) && (
        <p class="macrostate">
          {taken && (
            <strong class="recording">
              REC {taken}
            </strong>
          )}
          {now && <span>Running: {now}</span>}
          <Act device={device} c={stop} label="Stop the macro" title="Stop">
            STOP
          </Act>
        </p>
      )}
      <ul>
        {macros.map((e) => {
          const group = groupOf(e.path);
          const n = numberOf(group);
          const name = String(e.point.value?.value ?? '');
          const run = find(`${group}/run`);
          const erase = find(`${group}/delete`);
          return (
            <li key={group}>
              <Act device={device} c={run} label={`Run macro ${n}, ${name}`} title={name}>
                <span class="number">{n}</span> <span class="short">{name}</span>
              </Act>
              {erase?.writable && (
                <Act device={device} c={erase} label={`Delete macro ${n}, ${name}`} title={`Delete macro ${n}, ${name}`} class="minor">
                  Delete…
                </Act>
              )}
              <Troubles device={device} paths={[run?.path, erase?.path]} />
            </li>
          );
        })}
      </ul>
      <Troubles device={device} paths={[stop?.path]} />
    </section>
  );
}

/** Media is what the players show. */
export function Media({ device, roles }: { device: string; roles: Roles }) {
  return <Routes device={device} list={roles.list('av.media.source')} title="Media players" name="MP" />;
}

const outs = [
  ['stream', 'Streaming', 'av.stream.state', [['av.stream.bitrate', 'Bit rate'], ['av.stream.duration', 'Duration']]],
  ['record', 'Recording', 'av.record.state', [['av.record.duration', 'Duration'], ['av.record.remaining', 'Remaining']]],
] as const;

/** Out is streaming and recording: the state in the switcher's own word, start and stop. */
export function Out({ device, roles, find }: Props) {
  const shown = outs.filter(([, , role]) => roles.one(role));
  return (
    <>
      {shown.map(([what, title, role, readings]) => {
        const state = roles.one(role)!;
        const word = state.point.value?.label ?? words(String(said(state) ?? ''));
        const runs = /^(connecting|streaming|recording|stopping)$/.test(String(said(state) ?? ''));
        const start = find(`${what}/start`);
        const stop = find(`${what}/stop`);
        return (
          <section class="card out" key={what} aria-label={title}>
            <h2>
              <Name e={state}>{title}</Name>
              <span class={`outstate ${runs ? 'live' : ''} ${said(state) === undefined ? 'bad' : ''}`}>{word || '–'}</span>
            </h2>
            <div class="keyset">
              <Act device={device} c={start} label={`Start ${title.toLowerCase()}`} title={`Start ${title.toLowerCase()}`}>
                START
              </Act>
              <Act device={device} c={stop} label={`Stop ${title.toLowerCase()}`} title={`Stop ${title.toLowerCase()}`}>
                STOP
              </Act>
            </div>
            <dl class="readings">
              {readings.map(([r, name]) => (
                <Reading key={r} e={roles.one(r)} name={name} />
              ))}
            </dl>
            <Troubles device={device} paths={[start?.path, stop?.path]} />
          </section>
        );
      })}
    </>
  );
}
