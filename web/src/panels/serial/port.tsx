import { useEffect, useRef, useState } from 'preact/hooks';
import type { Command } from '../../api/types.ts';
import type { Entry } from '../../store/store.ts';
import { gateway } from '../../api/events.ts';
import { now } from '../../store/clock.ts';
import type { Roles } from '../../store/find.ts';
import { groupOf, numberOf } from '../../model/switcher.ts';
import { last } from '../../model/tree.ts';
import { words } from '../../model/format.ts';
import { Act, Toggle, Troubles } from '../../ui/cap.tsx';
import { Exact } from '../../ui/exact.tsx';
import { Pick } from '../../ui/pick.tsx';
import { Name, Value } from '../../ui/value.tsx';
import { StateWord } from './index.tsx';
import { TerminalView } from './terminal.tsx';

interface Props {
  device: string;
  roles: Roles;
  at: string; // such as ports/3
  commands: Command[];
}

const lines = [
  ['serial.rts', 'RTS', 'request to send'],
  ['serial.cts', 'CTS', 'clear to send'],
  ['serial.dtr', 'DTR', 'data terminal ready'],
  ['serial.dsr', 'DSR', 'data set ready'],
  ['serial.cd', 'DCD', 'carrier detect'],
  ['serial.ri', 'RI', 'ring indicator'],
] as const;

/** lineText is the usual short form of line settings: 9600 8N1. */
export function lineText(baud: Entry | undefined, format: Entry | undefined): string {
  const say = (e: Entry | undefined) => (e?.point.value?.value === null || e?.point.value?.value === undefined ? '' : String(e.point.value.value));
  return [say(baud), say(format)].filter(Boolean).join(' ') || '–';
}

/** Port is one serial port: line settings, lamps, counters, and what goes over it. */
export function Port({ device, roles, at, commands }: Props) {
  const one = (role: string) => roles.list(role).find((e) => groupOf(e.path) === at);
  const find = (name: string) => commands.find((c) => c.path === `${at}/${name}`);
  const state = one('serial.state');
  const owner = one('serial.owner');
  const baud = one('serial.baud');
  const format = one('serial.format');
  const flow = one('serial.flow');
  const mode = one('serial.mode');
  const bytesIn = one('serial.bytes-in');
  const bytesOut = one('serial.bytes-out');
  const outstanding = one('serial.outstanding');
  const breaking = one('serial.break');
  const errors = roles.list('serial.errors').filter((e) => groupOf(e.path) === at);
  const settings = [baud, format, flow, mode];
  const outputs = lines.map(([role]) => one(role)).filter((e) => e?.spec.value.writable);
  return (
    <section class="port" aria-label={`Port ${numberOf(at)}`}>
      <header class="card porthead">
        <div class="portline">
          <h2>Port {numberOf(at)}</h2>
          {state && <StateWord e={state} />}
          {baud && (
            <span class="setting1">
              <Name e={baud}>Speed</Name>
              <Exact e={baud} label="Line speed" class="lineset">
                <Value e={baud} unit={false} />
              </Exact>
            </span>
          )}
          {format && (
            <span class="setting1">
              <Name e={format}>Format</Name>
              <Exact e={format} label="Data bits, parity, stop bits" wanted="such as 8N1" class="lineset">
                <Value e={format} />
              </Exact>
            </span>
          )}
          {flow && (
            <span class="setting1">
              <Name e={flow}>Flow</Name>
              <Pick e={flow} label="Flow control" />
            </span>
          )}
          {mode && (
            <span class="setting1">
              <Name e={mode}>Mode</Name>
              <Pick e={mode} label="Electrical mode" />
            </span>
          )}
          {owner && (
            <span class="setting1">
              <Name e={owner}>Owner</Name>
              {owner.point.value?.value ? <Value e={owner} /> : <span class="quiet">nobody</span>}
            </span>
          )}
        </div>
        <div class="lamps" role="group" aria-label="Lines">
          {bytesOut && <Flash e={bytesOut} name="TXD" what="data sent" class="tx" />}
          {bytesIn && <Flash e={bytesIn} name="RXD" what="data received" class="rx" />}
          {lines.map(([role, name, what]) => {
            const e = one(role);
            return e && <Line key={role} e={e} name={name} what={what} />;
          })}
          {breaking && <Line e={breaking} name="BRK" what="break" />}
        </div>
        {state && state.point.value?.value !== 'open' && state.point.value?.quality !== 'bad' && lines.some(([role]) => one(role)) && (
          <p class="quiet">The lines are known, and can be set, while somebody has the port open.</p>
        )}
        <div class="countrow">
          <dl class="counters">
            {bytesIn && <Counter e={bytesIn} name="In" />}
            {bytesOut && <Counter e={bytesOut} name="Out" />}
            {outstanding && <Counter e={outstanding} name="Under way" />}
            {errors.map((e) => (
              <Counter key={e.path} e={e} name={words(last(e.path))} fault />
            ))}
          </dl>
          {(find('flush') || find('release')) && (
            <div class="keyset">
              <Act device={device} c={find('flush')} label="Drop what is buffered" title="Flush">
                Flush
              </Act>
              <Act device={device} c={find('release')} label="Release the port from whoever has it" title="Release the port">
                Release
              </Act>
            </div>
          )}
        </div>
        <Troubles device={device} paths={[...settings.map((e) => e?.path), ...outputs.map((e) => e?.path), `${at}/flush`, `${at}/release`, `${at}/break`]} />
      </header>
      <TerminalView device={device} at={at} owner={owner} />
    </section>
  );
}

/** Line is the lamp of one line. An output that may be changed is a button. */
function Line({ e, name, what }: { e: Entry; name: string; what: string }) {
  const point = e.point.value;
  const on = point?.value === true;
  const known = point?.quality !== 'bad' && gateway.value.state !== 'lost';
  const look = `${known ? (on ? 'on' : '') : 'lost'}`;
  if (e.spec.value.writable) {
    return (
      <Toggle e={e} label={`${name}, ${what}`} class={`lineout ${on && known ? 'asserted' : ''}`}>
        <span class={`led ${look}`} aria-hidden="true" />
        {name}
      </Toggle>
    );
  }
  return (
    <span class="linein">
      <span class={`led ${look}`} aria-hidden="true" />
      <Name e={e}>{name}</Name>
      <span class="spoken">{known ? (on ? 'on' : 'off') : 'not known'}</span>
    </span>
  );
}

/** Flash is lit for a moment when a counter moves. */
function Flash({ e, name, what, class: cls }: { e: Entry; name: string; what: string; class: string }) {
  const value = e.point.value?.value;
  const before = useRef(value);
  const [lit, setLit] = useState(false);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    setLit(true);
    const timer = setTimeout(() => setLit(false), 160);
    return () => clearTimeout(timer);
  }, [value]);
  return (
    <span class="linein">
      <span class={`led ${cls} ${e.point.value?.quality === 'bad' ? 'lost' : lit ? 'on' : ''}`} aria-hidden="true" />
      <Name e={e}>{name}</Name>
      <span class="spoken">{what}</span>
    </span>
  );
}

const rising = 10_000; // ms for which a counter of errors is called rising

/** Counter is a number that only grows. One that counts errors is red while it does, and says so. */
function Counter({ e, name, fault = false }: { e: Entry; name: string; fault?: boolean }) {
  const value = Number(e.point.value?.value ?? 0);
  const before = useRef<{ value: number; at: number } | null>(null);
  if (before.current === null) before.current = { value, at: 0 };
  else if (value > before.current.value) before.current = { value, at: Date.now() };
  else before.current.value = value;
  const hot = fault && before.current.at > 0 && now.value - before.current.at < rising;
  return (
    <div class={hot ? 'hot' : ''}>
      <dt>
        <Name e={e}>{name}</Name>
      </dt>
      <dd>
        <Value e={e} unit={false} written={Number.isFinite(value) && e.point.value?.value !== null ? value.toLocaleString('en') : undefined} />
        {hot && <span class="rise"> rising</span>}
      </dd>
    </div>
  );
}
