import { useEffect } from 'preact/hooks';
import { signal } from '@preact/signals';
import * as api from '../api/client.ts';
import { gateway } from '../api/events.ts';
import type { AuditEntry } from '../api/types.ts';
import { now, pageTime } from '../store/clock.ts';
import { admin, stranger } from '../store/session.ts';
import { addressOf } from '../store/route.ts';
import { stamp, words } from '../model/format.ts';
import { outcomeOf, passes, whoName, whoWords, type Filter } from '../model/log.ts';
import { LogFilter } from '../ui/logfilter.tsx';

const most = 1000; // lines that are kept and drawn
const pause = 2000;

const filter = signal<Filter>({ outcome: 'all', user: '' });
const entries = signal<AuditEntry[] | null>(null);
const wrong = signal('');

/** Audit is the log of the whole gateway for those who may read it: writes, sign-ins, and what native clients asked for. */
export function Audit() {
  const allowed = admin.value && !stranger.value;
  useEffect(() => {
    if (!allowed) return;
    let timer = 0;
    let over = false;
    let seq = -1; // nothing read yet
    const look = async () => {
      try {
        const news = document.hidden ? [] : await api.audit(Math.max(seq, 0));
        if (over) return;
        const kept = seq < 0 ? [] : (entries.peek() ?? []);
        if (seq < 0 || news.length > 0) entries.value = [...kept, ...news].slice(-most);
        seq = news.at(-1)?.seq ?? Math.max(seq, 0);
        wrong.value = '';
      } catch (e) {
        if (over) return;
        wrong.value = e instanceof Error ? e.message : String(e);
      }
      timer = window.setTimeout(() => void look(), pause);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [allowed, gateway.value.state]); // a gateway that was started again counts from 1 again
  useEffect(() => () => void (entries.value = null), []);

  if (!allowed) {
    return (
      <main class="empty">
        <h1>The log of the gateway is for admins</h1>
        <p>Each device’s own Log shows who wrote what to it, to everybody who may look.</p>
        <p>
          <a href="/">All devices</a>
        </p>
      </main>
    );
  }
  const all = [...(entries.value ?? [])].reverse();
  const users = [...new Set(all.map(whoName))].sort();
  const lines = all.filter((e) => passes(filter.value, outcomeOf(e.outcome ?? 'ok', true), whoName(e)));
  return (
    <main class="log pad" aria-label="Log of the gateway">
      <h1 class="viewtitle">Log of the gateway</h1>
      {wrong.value && <p class="refusal">Not read again: {wrong.value}. What is below is older.</p>}
      {entries.value === null ? (
        <p class="quiet">Asking the gateway…</p>
      ) : (
        <LogFilter filter={filter} users={users} shown={lines.length} all={all.length} what={all.length === 1 ? 'line' : 'lines'} />
      )}
      {entries.value !== null && lines.length === 0 && <p class="quiet">{all.length ? 'Nothing matches.' : 'Nothing has happened since the gateway started.'}</p>}
      <ul>
        {lines.map((e) => (
          <Line key={e.seq} e={e} />
        ))}
      </ul>
    </main>
  );
}

function Line({ e }: { e: AuditEntry }) {
  const outcome = e.outcome ?? '';
  const thing = [e.path, e.raw].filter(Boolean).join(' ');
  const what = e.device || thing ? e.what : '';
  return (
    <li class="logline">
      <div class="logmain">
        <time class="digits">{stamp(pageTime(e.at), now.value)}</time>
        <span>
          {what && <span class="quiet">{what} </span>}
          {!what && words(e.what)}
          {e.device && <a href={addressOf(e.device, 'log')}>{e.device}</a>} {thing && <span class="path">{thing}</span>}
        </span>
        <span class="change">
          {(e.old || e.new) && (
            <>
              <span class="digits">{e.old || '–'}</span> → <span class="digits">{e.new || '–'}</span>
            </>
          )}
        </span>
        <span class={`stage-word ${outcomeOf(outcome || 'ok', true) === 'wrong' ? 'wrong' : 'fine'}`}>{words(outcome)}</span>
        <span class="quiet who">{whoWords(e)}</span>
      </div>
      {e.why && <p class="said">{e.why}</p>}
    </li>
  );
}
