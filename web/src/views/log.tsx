import { signal } from '@preact/signals';
import type { Value, Write, WriteItem } from '../api/types.ts';
import { log } from '../store/store.ts';
import { now, pageTime } from '../store/clock.ts';
import { inspect } from '../store/inspect.ts';
import { admin } from '../store/session.ts';
import { clock, stamp, words } from '../model/format.ts';
import { outcomeOf, passes, whoName, whoWords, type Filter, type Outcome } from '../model/log.ts';
import { LogFilter } from '../ui/logfilter.tsx';

const filter = signal<Filter>({ outcome: 'all', user: '' });

interface Entry {
  w: Write;
  item: WriteItem;
  n: number;
  stage: string;
  outcome: Outcome;
}

/** Log is who wrote what to this device, newest first and live, with every step a write has taken; refused ones too. */
export function Log({ device }: { device: string }) {
  const all = [...log.value.values()].reverse().flatMap((w) => w.items.filter((i) => i.device === device).map((item, n) => entryOf(w, item, n)));
  const users = [...new Set(all.map((l) => whoName(l.w.who)))].sort();
  const lines = all.filter((l) => passes(filter.value, l.outcome, whoName(l.w.who)));
  const whole = admin.value && (
    <p class="quiet pad">
      Sign-ins, other devices and what native clients asked for: <a href="/log">log of the gateway</a>.
    </p>
  );
  if (all.length === 0) {
    return (
      <>
        <p class="quiet pad">Nothing has been written to {device} since the gateway started.</p>
        {whole}
      </>
    );
  }
  return (
    <section class="log" aria-label="Log of writes">
      <LogFilter filter={filter} users={users} shown={lines.length} all={all.length} what={all.length === 1 ? 'write' : 'writes'} />
      {lines.length === 0 && <p class="quiet pad">Nothing matches.</p>}
      <ul>
        {lines.map((l) => (
          <Line key={`${l.w.id}/${l.n}`} {...l} />
        ))}
      </ul>
      {whole}
    </section>
  );
}

function entryOf(w: Write, item: WriteItem, n: number): Entry {
  const step = item.steps?.at(-1);
  const stage = step?.stage ?? w.stage;
  return { w, item, n, stage, outcome: outcomeOf(stage, step?.final ?? w.final) };
}

const looks = { open: 'open', done: 'fine', wrong: 'wrong' } as const;

function Line({ w, item, stage, outcome }: Entry) {
  const step = item.steps?.at(-1);
  return (
    <li class="logline">
      <div class="logmain">
        <time class="digits">{stamp(pageTime(w.at), now.value)}</time>
        <button type="button" class="name path" onClick={() => inspect(item.device, item.path)}>
          {item.path}
        </button>
        <span class="change">
          {item.command ? (
            <span class="digits">{say(item.args as Value)}</span>
          ) : (
            <>
              <span class="digits">{say(item.old)}</span> → <span class="digits">{say(item.new)}</span>
            </>
          )}
        </span>
        <span class={`stage-word ${looks[outcome]}`}>{words(stage)}</span>
        <span class="quiet who">{whoWords(w.who)}</span>
      </div>
      {step?.text && <p class="said">{step.text}</p>}
      {step?.hint && <p class="quiet hint">{step.hint}</p>}
      <details>
        <summary>steps</summary>
        <ol>
          {item.steps?.map((s) => (
            <li key={s.stage + s.at}>
              <span class="digits">{clock(pageTime(s.at))}</span> {words(s.stage)} <span class="quiet">{s.text}</span>
            </li>
          ))}
          {item.now !== undefined && item.now !== null && <li>the device now says {say(item.now)}</li>}
        </ol>
        <p class="quiet">write {w.id}</p>
      </details>
    </li>
  );
}

function say(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value) && value.length === 0) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
