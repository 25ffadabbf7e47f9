import { gateway } from '../api/events.ts';
import { devices, shelf } from '../store/store.ts';
import { now } from '../store/clock.ts';
import { linkOf, panelOf } from '../store/find.ts';
import { cause, linkWords } from '../model/link.ts';
import { span } from '../model/format.ts';
import { addressOf, go, route } from '../store/route.ts';
import { onlyBad } from '../store/search.ts';
import { LongName } from './longname.tsx';
import { LockButton } from './lockbutton.tsx';
import { commands } from '../store/commands.ts';
import { takeable } from '../store/lock.ts';
import { admin, me, viewer } from '../store/session.ts';
import { User } from './account.tsx';
import { Insecure } from './insecure.tsx';
import { waitingWords } from './pairing.tsx';
import { settingsOpen } from './settings.tsx';

/** TopBar never scrolls away: where we are, the link, the age of the newest data, the lock, the user; and below it what is broken. */
export function TopBar() {
  const { device, place } = route.value;
  return (
    <header class="top">
      <div class="bar">
        <a class="home" href="/" aria-label="patchbay, all devices">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <g fill="none" stroke="currentColor" stroke-width="2.500">
              <circle cx="8" cy="8" r="4" />
              <circle cx="24" cy="24" r="4" />
              <path d="M8 12v5c0 4 3 7 7 7h5" />
            </g>
          </svg>
          {!device && <span>patchbay</span>}
        </a>
        {device ? <DeviceState device={device} /> : <span class="grow quiet">{count()}</span>}
        {device && !viewer.value && writableAny(device) && <LockButton device={device} />}
        {!device && admin.value && (
          <a class="barlink" href="/log" aria-current={place === 'log' ? 'page' : undefined}>
            Log
          </a>
        )}
        <User />
        <button type="button" class="plain" aria-label="Settings and keys" onClick={() => (settingsOpen.value = true)}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M2 5.500h9m4 0h3M2 14.500h3m4 0h9" fill="none" stroke="currentColor" stroke-width="2" />
            <circle cx="13" cy="5.500" r="2.300" fill="none" stroke="currentColor" stroke-width="2" />
            <circle cx="7" cy="14.500" r="2.300" fill="none" stroke="currentColor" stroke-width="2" />
          </svg>
        </button>
      </div>
      <Insecure />
      <Faults device={device} />
    </header>
  );
}

function count(): string {
  const list = devices.value;
  if (!list) return '';
  return `${list.length} ${list.length === 1 ? 'device' : 'devices'}`;
}

function DeviceState({ device }: { device: string }) {
  const about = devices.value?.find((d) => d.name === device);
  const link = linkOf(device);
  const up = link.state === 'up' && gateway.value.state !== 'lost';
  const most = innerWidth < 620 ? 22 : 40; // two lines of the bar
  return (
    <>
      <h1 class="devname" title={device} tabIndex={device.length > most ? 0 : undefined}>
        <LongName name={device} most={most} />
      </h1>
      {about?.simulated && (
        <abbr class="sim" title="Simulated: no real machine stands behind this">
          SIM
        </abbr>
      )}
      <span class={`link grow ${up ? 'up' : 'lost'}`}>
        <span class="dot" aria-hidden="true" />
        <span class="linkwords">{gateway.value.state === 'lost' ? 'not known' : linkWords(link, now.value)}</span>
        <Age device={device} up={up || (link.state === 'waiting' && gateway.value.state !== 'lost')} />
        <BadCount device={device} />
        {me.value?.user && <span class="narrowuser">{me.value.user}</span>}
      </span>
    </>
  );
}

// Fields whose devices speak when something changes, and are silent otherwise: there an age is no sign of trouble.
const speakers = ['switcher', 'serial', 'audio'];

/** Age of the newest data. On a good link, below 3 s, it only says so: a running digit would tell no more. */
function Age({ device, up }: { device: string; up: boolean }) {
  const newest = shelf(device)?.newest.value ?? 0;
  if (!newest) return null;
  const age = now.value - newest;
  const live = up && age < 3000;
  const calm = up && speakers.includes(panelOf(device));
  return <span class={`age ${live || calm ? '' : 'old'}`}>{live ? 'data live' : calm ? `last change ${span(age)} ago` : `data ${span(age)} old`}</span>;
}

function BadCount({ device }: { device: string }) {
  now.value; // counted once a second
  const s = shelf(device);
  let bad = 0;
  for (const e of s?.entries.values() ?? []) {
    const p = e.point.peek();
    // A point that never had a value shows a dash; only what was trusted once and is not now is worth an alert.
    const had = p?.value !== null && p?.value !== undefined;
    if (p?.quality === 'bad' && had && p.reason !== 'link-down' && p.reason !== 'unsupported') bad++;
  }
  if (bad === 0) return null;
  const open = () => {
    onlyBad.value = true;
    go(addressOf(device, 'points'));
  };
  return (
    <button type="button" class="small badcount" onClick={open}>
      {bad} bad {bad === 1 ? 'value' : 'values'}
    </button>
  );
}

function writableAny(device: string): boolean {
  const s = shelf(device);
  s?.shape.value;
  for (const e of s?.entries.values() ?? []) if (e.spec.peek().writable) return true;
  if (takeable.value === device) return true;
  return commands.value.device === device && commands.value.list.some((c) => c.writable);
}

/** Faults names the place of the break: between page and gateway, or between gateway and device. */
export function Faults({ device }: { device: string }) {
  const g = gateway.value;
  if (g.state === 'lost') {
    return (
      <p class="fault" role="alert">
        <strong>Gateway lost</strong> This page has heard nothing from patchbay for {span(now.value - g.since)} and keeps trying. Everything below is old.
      </p>
    );
  }
  if (!device || devices.value === null) return null;
  const link = linkOf(device);
  if (link.state === 'up' || link.state === '' || (link.state === 'connecting' && !link.error)) return null;
  const about = devices.value.find((d) => d.name === device);
  return (
    <p class="fault" role="alert">
      <strong>{link.state === 'waiting' ? 'Waiting' : 'Device lost'}</strong>{' '}
      {link.state === 'waiting' ? <Waiting device={device} words={waitingWords(device, link)} /> : <>{about?.url || device}: {link.errorClass ? cause(link.errorClass) : link.error || cause('')}.</>} {link.hint}
      {link.nextAttempt > now.value && (
        <> Next try in {span(link.nextAttempt - now.value)}.</>
      )}
    </p>
  );
}

/** Waiting says what a device waits for; how that is done stands on the panel. */
function Waiting({ device, words }: { device: string; words: string }) {
  if (route.value.tab === '') return <>{words}.</>;
  return (
    <>
      {words}. <a href={addressOf(device)}>The panel</a> says what to do.
    </>
  );
}
