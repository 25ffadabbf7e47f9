import { computed, signal } from '@preact/signals';
import * as api from '../api/client.ts';
import type { Me } from '../api/types.ts';
import { lockAll } from './lock.ts';

/** Who this page is signed in as; null until the gateway has told. */
export const me = signal<Me | null>(null);

/** How the last question who we are has failed, in words; '' when it has not. */
export const unanswered = signal('');

/** The gateway wants to know who is there, and does not. */
export const stranger = computed(() => me.value?.access === 'login' && !me.value.user);

/** Somebody has been let in since the page was loaded, or since the last signing out. What was on the page is kept for them. */
export const entered = signal(false);

/** A session that ended by itself, and whose it was. */
export const ended = signal('');

/** viewer says that whoever is here may look and not change. */
export const viewer = computed(() => me.value?.role === 'viewer');

/** admin says that whoever is here may read the audit. */
export const admin = computed(() => me.value?.role === 'admin');

interface Hooks {
  enter: (sameUser: boolean) => void; // let in again, after a session had ended
  leave: (forget: boolean) => void; // a session ended; forget: by signing out
}
let hooks: Hooks = { enter: () => {}, leave: () => {} };

let last = ''; // the user before the session ended
let again = 0;

/** startSession asks who we are, and again whenever the gateway stops knowing us. */
export function startSession(use: Hooks): void {
  hooks = use;
  api.onStranger(() => void whoAmI());
  void whoAmI();
}

/** whoAmI asks the gateway; without an answer it asks again later. */
export async function whoAmI(): Promise<void> {
  clearTimeout(again);
  try {
    take(await api.me());
  } catch (e) {
    const r = e instanceof api.Refusal ? e : new api.Refusal({ detail: String(e) });
    if (r.status === 401) return take({ access: 'login' });
    unanswered.value = r.message;
    again = window.setTimeout(() => void whoAmI(), 2000);
  }
}

function take(news: Me): void {
  unanswered.value = '';
  const before = me.peek();
  const inside = news.access === 'open' || !!news.user;
  const was = before !== null && (before.access === 'open' || !!before.user);
  if (was && !inside) {
    last = before.user ?? '';
    ended.value = last;
    lockAll();
    hooks.leave(false);
  }
  me.value = news;
  if (!inside) return;
  if (entered.peek() && !was) hooks.enter(news.user === last);
  ended.value = '';
  entered.value = true;
}

/** signIn throws an api.Refusal when the gateway says no. */
export async function signIn(user: string, password: string): Promise<void> {
  take(await api.login(user, password));
}

/** signOut ends the session and takes everything from the page that was read in it. */
export async function signOut(): Promise<void> {
  await api.logout();
  lockAll();
  entered.value = false;
  ended.value = '';
  hooks.leave(true);
  me.value = { access: 'login' };
}
