import type { Value, Write, WriteItem } from '../api/types.ts';
import { log } from '../store/store.ts';
import { now, pageTime } from '../store/clock.ts';
import { inspect } from '../store/inspect.ts';
import { clock, stamp, words } from '../model/format.ts';

const fine = new Set(['confirmed', 'acknowledged', 'sent', 'dry-run']);

/** Log is who wrote what to this device, newest first, with every step a write has taken. */
export function Log({ device }: { device: string }) {
  const writes = [...log.value.values()].reverse();
  const lines = writes.flatMap((w) => w.items.filter((i) => i.device === device).map((item, n) => ({ w, item, n })));
  if (lines.length === 0) return <p class="quiet pad">Nothing has been written to {device} since the gateway started.</p>;
  return (
    <section class="log" aria-label="Log of writes">
      <ul>
        {lines.map(({ w, item, n }) => (
          <Line key={`${w.id}/${n}`} w={w} item={item} />
        ))}
      </ul>
    </section>
  );
}

function Line({ w, item }: { w: Write; item: WriteItem }) {
  const step = item.steps?.at(-1);
  const stage = step?.stage ?? w.stage;
  const ended = step?.final ?? w.final;
  const who = [w.who?.user, w.who?.door, w.who?.addr].filter(Boolean).join(', ');
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
        <span class={`stage-word ${!ended ? 'open' : fine.has(stage) ? 'fine' : 'wrong'}`}>{words(stage)}</span>
        <span class="quiet who">{who}</span>
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
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
