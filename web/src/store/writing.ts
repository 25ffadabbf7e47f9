import { effect, signal, type Signal } from '@preact/signals';
import * as api from '../api/client.ts';
import type { Value, Write } from '../api/types.ts';
import { log, takeAnswer, unreachable } from './store.ts';
import { announce } from './announce.ts';

/** Attempt is one press of this tab and what became of it. Ended attempts that went wrong stay until touched. */
export interface Attempt {
  n: number; // counts the attempts of this tab
  quiet: boolean;
  id: string; // '' until the gateway has accepted it
  value: Value;
  stage: string;
  final: boolean;
  slow: boolean; // longer than 300 ms under way
  text: string;
  hint: string;
}

const attempts = new Map<string, Signal<Attempt | null>>();
const visitors = new Map<string, Signal<string>>();
const mine = new Set<string>();
let count = 0;
const key = (device: string, path: string) => `${device}/${path}`;

const slot = <T>(map: Map<string, Signal<T>>, name: string, empty: T): Signal<T> => {
  let s = map.get(name);
  if (!s) map.set(name, (s = signal(empty)));
  return s;
};

/** attemptOf is this tab's newest attempt at a point. */
export const attemptOf = (device: string, path: string): Signal<Attempt | null> => slot(attempts, key(device, path), null);

/** visitorOf is who else has just changed a point, for 3 s. */
export const visitorOf = (device: string, path: string): Signal<string> => slot(visitors, key(device, path), '');

/** wentWrong is an end that did not do what was asked. */
export const wentWrong = (a: Attempt): boolean => a.final && !['confirmed', 'acknowledged', 'sent'].includes(a.stage);

/** touch clears what the last attempt left at its control. */
export function touch(device: string, path: string): void {
  const s = attemptOf(device, path);
  if (s.value?.final) s.value = null;
}

interface How {
  needsLink?: boolean; // off for what the gateway does by itself
  quiet?: boolean; // a step of a movement: its end is not spoken unless it went wrong
  instant?: boolean; // waits for no press before it: the page is about to go
  again?: boolean; // also while an earlier press is under way: whoever cuts to one camera and then to another means both
}

/** write sends one value. It never throws: whatever happens is in attemptOf. */
export function write(device: string, path: string, value: Value, how: How = {}): Promise<void> {
  return attempt(device, path, value, () => api.send(device, path, value), how);
}

/** perform runs a command, with its arguments by name. What becomes of it is in attemptOf, as with a write. */
export function perform(device: string, path: string, args: Record<string, Value>, how: How = {}): Promise<void> {
  return attempt(device, path, null, () => api.perform(device, path, args), how);
}

async function attempt(device: string, path: string, value: Value, ask: () => Promise<Write>, { needsLink = true, again = false, instant = false, quiet = false }: How): Promise<void> {
  const s = attemptOf(device, path);
  if (s.value && !s.value.final && !again) return; // one at a time
  const first: Attempt = { n: ++count, quiet, id: '', value, stage: 'sending', final: false, slow: false, text: '', hint: '' };
  const no = unreachable(device, needsLink, path);
  if (no) return end(s, path, { ...first, stage: 'refused', final: true, text: no });
  s.value = first;
  setTimeout(() => {
    const a = open(s, first.n);
    if (a) s.value = { ...a, slow: true };
  }, 300);
  try {
    const answer = await (instant ? ask() : inTurn(device, path, needsLink, ask));
    mine.add(answer.id);
    const a = open(s, first.n);
    if (a) s.value = { ...a, id: answer.id };
    adopt(answer);
    setTimeout(() => void settle(s, path, first.n), 4000);
  } catch (e) {
    if (!open(s, first.n)) return;
    const r = e instanceof api.Refusal ? e : new api.Refusal({ detail: String(e) });
    const lost = r.code === 'gateway-lost';
    const text = lost ? 'No answer from the gateway; whether it was sent is not known.' : r.message;
    end(s, path, { ...first, stage: lost ? 'uncertain' : 'refused', final: true, text, hint: r.hint });
  }
}

const turns = new Map<string, Promise<unknown>>();
const patience = 1500; // ms that a press waits for the one before to be accepted

/**
 * inTurn keeps the presses of one device in their order: whoever chooses a preview and cuts means that preview. A press that
 * would have to wait long is refused; sent late it could mean something else.
 */
async function inTurn(device: string, path: string, needsLink: boolean, ask: () => Promise<Write>): Promise<Write> {
  const before = turns.get(device) ?? Promise.resolve();
  const ours = (async () => {
    const late = await Promise.race([before.then(() => false), new Promise<boolean>((r) => setTimeout(r, patience, true))]);
    const no = late ? 'Not sent: the gateway has not taken the press before yet.' : unreachable(device, needsLink, path);
    if (no) throw new api.Refusal({ detail: no });
    return ask();
  })();
  turns.set(device, Promise.allSettled([before, ours]));
  return ours;
}

/** open is the attempt of the given number while it has not ended; a later one has taken its place otherwise. */
function open(s: Signal<Attempt | null>, n: number): Attempt | null {
  const a = s.peek();
  return a && a.n === n && !a.final ? a : null;
}

/** adopt takes an answer; the event stream may have told of later steps before it, when the write had no name here yet. */
function adopt(answer: Write): void {
  takeAnswer(answer);
  follow(log.peek().get(answer.id) ?? answer, false);
}

/** settle asks once when the event stream has not told the end in time. */
async function settle(s: Signal<Attempt | null>, path: string, n: number): Promise<void> {
  const a = open(s, n);
  if (!a) return;
  try {
    adopt(await api.write(a.id));
  } catch {
    const still = open(s, n);
    if (still) end(s, path, { ...still, stage: 'uncertain', final: true, text: 'The gateway did not say how this write ended.' });
  }
}

function end(s: Signal<Attempt | null>, path: string, a: Attempt): void {
  s.value = a;
  if (!a.quiet || wentWrong(a)) announce(`${path}: ${a.stage}${a.text ? `. ${a.text}` : ''}`);
  if (!wentWrong(a)) setTimeout(() => s.value === a && (s.value = null), 3000);
}

/** startWriting follows the log: the steps of our own writes, and the names of those who change something else. */
export function startWriting(): void {
  const seen = new Map<string, number>();
  let first = true;
  effect(() => {
    for (const w of log.value.values()) {
      if (seen.get(w.id) === w.seq) continue;
      seen.set(w.id, w.seq);
      follow(w, first);
    }
    if (log.value.size > 0) first = false;
  });
}

function follow(w: Write, old: boolean): void {
  for (const item of w.items) {
    const s = attempts.get(key(item.device, item.path));
    const step = item.steps?.at(-1);
    const a = s?.peek();
    if (s && a && a.id === w.id && !a.final && step) {
      const next = { ...a, stage: step.stage, final: step.final ?? w.final, text: step.text ?? '', hint: step.hint ?? '' };
      if (next.final) end(s, item.path, next);
      else s.value = next;
    }
    const recent = Date.now() - Date.parse(w.at) < 10_000;
    if (!old && recent && w.final && step?.stage === 'confirmed' && !mine.has(w.id)) visit(item.device, item.path, w);
  }
}

function visit(device: string, path: string, w: Write): void {
  const s = visitorOf(device, path);
  const name = w.who?.user || w.who?.addr || w.who?.door || 'somebody else';
  s.value = name;
  setTimeout(() => s.value === name && (s.value = ''), 3000);
}
