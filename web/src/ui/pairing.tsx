import { codeIn } from '../model/audio.ts';
import { commandFits, hostIn, isPairing, pairingRoot, plainCause, sentence, waitingFor, waitsForPerson } from '../model/pairing.ts';
import type { LinkFacts } from '../model/link.ts';
import { words } from '../model/format.ts';
import { linkOf } from '../store/find.ts';
import { isUnlocked } from '../store/lock.ts';
import { route } from '../store/route.ts';
import { devices, entry } from '../store/store.ts';
import { attemptOf, wentWrong } from '../store/writing.ts';
import { Action, useCommands } from './commands.tsx';
import { Forbidden } from './control.tsx';

/** waitingWords says in one sentence, without its stop, what a device waits for. */
export function waitingWords(device: string, link: LinkFacts): string {
  const about = devices.value?.find((d) => d.name === device);
  if (!link.conditionCode) return link.condition || 'Waiting for a person';
  return waitingFor(link.conditionCode, about?.title ?? '', hostIn(about?.url ?? ''));
}

/** Pairing is what a person has to do before the device is there, or before it may be changed; nothing while it waits for nobody. */
export function Pairing({ device }: { device: string }) {
  const link = linkOf(device);
  if (link.state !== 'waiting' || !link.condition) return null;
  return <Steps device={device} link={link} />;
}

/** Paired is what can be done about the pairing of a device that is there. That is wanted seldom, and so stands with its link. */
export function Paired({ device }: { device: string }) {
  const { list } = useCommands(device);
  const about = devices.value?.find((d) => d.name === device);
  const all = list.filter((c) => isPairing(c.path));
  if (linkOf(device).state !== 'up' || all.length === 0) return null;
  const host = hostIn(about?.url ?? '');
  return (
    <section class="card paired" aria-label="Pairing">
      <h2>
        Paired with {about?.title || 'the device'}
        {host && ` on ${host}`}
      </h2>
      {all.map((c) => (c.writable ? <Action key={c.path} device={device} c={c} /> : <Forbidden key={c.path} what={`${c.title || c.path}: not allowed here`} device={device} path={c.path} given={c.writable_key} />))}
      {all.some((c) => c.writable) && !isUnlocked(device) && <p class="quiet">Locked: hold the lock for 0.6 s, or press L.</p>}
    </section>
  );
}

function Steps({ device, link }: { device: string; link: LinkFacts }) {
  const { list } = useCommands(device);
  const all = list.filter((c) => isPairing(c.path));
  const fitting = route.value.wall ? [] : all.filter((c) => commandFits(c.path, link.conditionCode));
  const open = fitting.filter((c) => c.writable);
  const closed = route.value.wall ? undefined : all.find((c) => !c.writable);
  const said = (name: string) => {
    const value = entry(device, `pairing/${name}`)?.point.value?.value;
    return typeof value === 'string' ? value : '';
  };
  const code = said('code') || codeIn(link.condition);
  // What a press here came to stands at its button; the rest of what went wrong is told by the device.
  const here = open.some((c) => {
    const a = attemptOf(device, c.path).value;
    return a !== null && wentWrong(a);
  });
  const result = here ? '' : plainCause(said('result'));
  const name = said('name');
  const title = waitingWords(device, link);
  // What names a command is for those who have a shell; here the command is a button.
  const text = isAbout(link.condition, entry(device, 'pairing/state') !== undefined) ? '' : link.condition;
  const person = waitsForPerson(link.conditionCode);
  const about = devices.value?.find((d) => d.name === device);
  // Only the demo, in which everything may be written, shows the screens of what it simulates.
  const screen = person && all.length > 0 && about?.simulated && about.writable_all && !route.value.wall;
  return (
    <section class="card pairing" aria-label={person ? 'Pairing' : 'Waiting'}>
      <div role="status">
        <h2>{title}</h2>
        {text && text !== words(link.conditionCode) && <p>{sentence(text)}</p>}
        {link.conditionCode === 'not-paired' && name && <p>There this program is called “{name}”.</p>}
        {link.conditionCode === 'waiting-for-code' && <p>Read the code there, with a scanner where it is a picture{route.value.wall ? '' : ', and enter it here'}.</p>}
        {code && (
          <p class="code digits" aria-label={`Code ${code}`}>
            {code}
          </p>
        )}
        {result && (
          <div class="outcome refusal">
            <strong>The last attempt failed.</strong> {sentence(result)}
            <p class="hint">{link.conditionCode === 'waiting-for-code' ? 'Compare what was entered with what is shown there, and enter it again.' : 'Make sure that somebody is at that computer, then ask again. If the question does not appear there, another program may be asking: close its question first.'}</p>
          </div>
        )}
      </div>
      {open.map((c) => (
        <Action key={c.path} device={device} c={c} />
      ))}
      {closed && <Forbidden what="Pairing is not allowed here" device={device} path={closed.hazard === 'hazard' ? closed.path : `${pairingRoot}*`} given={closed.writable_key} />}
      {open.length > 0 && !isUnlocked(device) && <p class="quiet">Locked: hold the lock for 0.6 s, or press L.</p>}
      {screen && (
        <p>
          This device is simulated:{' '}
          <a href={`/simulated/${encodeURIComponent(device)}/`} target="_blank" rel="noreferrer">
            the screen of its computer
          </a>{' '}
          opens beside this page, to answer there.
        </p>
      )}
      {person && <p class="quiet">{after(link.conditionCode, all.length > 0)}</p>}
    </section>
  );
}

const isAbout = (text: string, steps: boolean): boolean => steps && /\bpairing\/[a-z]/.test(text);

/** after is how it goes on from here, and what to do when it was refused. */
function after(code: string, asks: boolean): string {
  if (!asks) {
    return 'The panel goes on by itself as soon as that is done. When it was refused there, or the request is gone from the list, restart this device in patchbay, and the request is made again; what was refused for good must first be taken off the list there.';
  }
  if (code === 'not-paired') return 'The panel appears by itself as soon as patchbay is let in. That is kept, and needed once.';
  if (code === 'waiting-for-code') return 'The panel appears by itself as soon as the code is accepted.';
  return 'This goes on by itself as soon as somebody has answered there. When it is refused, or nobody answers, this says so, and it can be asked again.';
}
