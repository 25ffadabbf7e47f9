import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { devices, shelf, type Entry } from '../store/store.ts';
import { gateway } from '../api/events.ts';
import { followPulse, pulse } from '../store/heartbeat.ts';
import { linkOf, rolesOf, type Roles } from '../store/find.ts';
import { route } from '../store/route.ts';
import { field } from '../store/settings.ts';
import { middle } from '../model/format.ts';
import { groupOf, numberOf, tallyOf } from '../model/switcher.ts';

const limit = 900; // ms without an answer after which nothing is known any more

/** TallyView fills a phone with the tally of one source. What it cannot know now it does not show. */
export function TallyView() {
  const { device, input } = route.value;
  const roles = rolesOf(device);
  const point = find(roles, input);
  useLayoutEffect(() => {
    field.value = 'tally';
    return () => void (field.value = '');
  }, []);
  useEffect(() => (point ? followPulse(device, point.path) : undefined), [device, point?.path]);
  const awake = useAwake();
  const stale = useStale();

  const known = devices.value;
  if (!point) {
    const told = shelf(device) !== undefined && roles.list('av.tally').length > 0;
    const missing = known !== null && !known.some((d) => d.name === device);
    return (
      <Screen look="none" word="NO TALLY" name={input}>
        {missing ? (
          <p>The gateway has no device called {device}.</p>
        ) : told ? (
          <p>
            {device} has no source {input}. It has: {roles.list('av.tally').map((e) => keyOf(e)).join(', ')}.
          </p>
        ) : (
          <p>{gateway.value.state === 'lost' ? 'The gateway does not answer.' : `Nothing has been heard from ${device} yet.`}</p>
        )}
      </Screen>
    );
  }
  const link = linkOf(device);
  const { beats, quality } = pulse.value;
  // The event stream is the faster of the two; the pulse proves that it still speaks.
  const told = point.point.value;
  const alive = !stale && told?.quality !== 'bad' && quality !== 'bad';
  const { long, short } = namesOf(device, roles, point);
  if (!alive) {
    const why = stale ? 'The gateway does not answer.' : link.state !== 'up' ? 'The gateway has no link to the switcher.' : 'The switcher does not say.';
    return (
      <Screen look="none" word="NO TALLY" name={short} long={long}>
        <p>{beats === 0 && stale ? 'Asking the gateway…' : why}</p>
      </Screen>
    );
  }
  const tally = tallyOf(told?.value);
  const look = tally.program ? 'air' : tally.preview ? 'next' : 'idle';
  return (
    <Screen look={look} word={{ air: 'ON AIR', next: 'PREVIEW', idle: '' }[look]} name={short} long={long}>
      <Beat n={beats} />
      {!awake && <p class="asleep">This screen may go dark: the browser keeps it awake only over HTTPS, or not at all. Set its own timeout to never.</p>}
    </Screen>
  );
}

interface ScreenProps {
  look: 'air' | 'next' | 'idle' | 'none';
  word: string;
  name: string;
  long?: string;
  children?: preact.ComponentChildren;
}

function Screen({ look, word, name, long = '', children }: ScreenProps) {
  return (
    <main class={`tallyscreen ${look}`} aria-label={`Tally of ${long || name}`}>
      <p class="tallyword" role="status">
        {word || <span class="spoken">idle</span>}
      </p>
      <h1 class="tallyname">{middle(name, 24)}</h1>
      {long && long !== name && <p class="tallylong">{middle(long, 60)}</p>}
      <div class="tallyfoot">{children}</div>
    </main>
  );
}

/** Beat moves on by one with each answer of the gateway, and by nothing else: it stands still when the link does. */
function Beat({ n }: { n: number }) {
  const marks = 8;
  return (
    <span class="beat" role="img" aria-label="alive">
      {Array.from({ length: marks }, (_, i) => (
        <span key={i} class={i === n % marks ? 'on' : ''} />
      ))}
    </span>
  );
}

const keyOf = (e: Entry): string => numberOf(groupOf(e.path));

/** find takes the number of a source, or one of its names. */
function find(roles: Roles, input: string): Entry | undefined {
  const all = roles.list('av.tally');
  const wanted = input.toLowerCase();
  return (
    all.find((e) => keyOf(e) === input) ??
    all.find((e) => {
      const { long, short } = namesOf(e.device, roles, e);
      return long.toLowerCase() === wanted || short.toLowerCase() === wanted;
    })
  );
}

function namesOf(device: string, roles: Roles, e: Entry): { long: string; short: string } {
  const key = keyOf(e);
  const program = roles.one('av.program');
  const label = shelf(device)?.labels[program?.spec.value.labels ?? '']?.find((l) => l.key === key);
  const of = (role: string) => {
    const value = roles.list(role).find((x) => groupOf(x.path) === groupOf(e.path))?.point.value?.value;
    return typeof value === 'string' ? value : '';
  };
  const told = e.spec.value.attributes ?? {};
  const long = label?.text || of('av.input.name') || told['name'] || '';
  return { long, short: label?.short || of('av.input.label') || told['label'] || long || key };
}

const tick = signal(0);

/** useStale says that the newest answer is too old. It looks more often than the answers come. */
function useStale(): boolean {
  useEffect(() => {
    const timer = setInterval(() => tick.value++, 100);
    return () => clearInterval(timer);
  }, []);
  tick.value;
  return performance.now() - pulse.value.at > limit;
}

/** useAwake keeps the screen on where the browser allows it, and says whether it does. */
function useAwake(): boolean {
  const [awake, setAwake] = useState(false);
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const take = async () => {
      if (document.hidden || !('wakeLock' in navigator)) return;
      try {
        const got = await navigator.wakeLock.request('screen');
        if (over) return void got.release();
        lock = got;
        setAwake(true);
        got.addEventListener('release', () => !over && setAwake(false));
      } catch {
        setAwake(false); // low battery, or forbidden
      }
    };
    const shown = () => void take();
    void take();
    document.addEventListener('visibilitychange', shown);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', shown);
      void lock?.release();
    };
  }, []);
  return awake;
}
