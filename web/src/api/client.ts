import type { AuditEntry, Command, Device, LabelSets, Me, Probe, Problem, Value, Write } from './types.ts';

const base = '/api/v1';

/** Refusal is an answer of the gateway that says no, or the lack of any answer. */
export class Refusal extends Error {
  readonly hint: string;
  readonly code: string;
  readonly status: number; // 0 without an answer
  readonly retryAfter: number; // seconds until another attempt makes sense; 0 when the gateway gave none

  constructor(problem: Problem, status = 0, retryAfter = 0) {
    super(problem.detail || problem.title || 'the gateway gave no reason');
    this.hint = problem.hint ?? '';
    this.code = problem.code ?? '';
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let whenStranger = () => {};

/** onStranger names what to do when the gateway no longer knows who is asking. */
export function onStranger(act: () => void): void {
  whenStranger = act;
}

async function ask<T>(path: string, init?: RequestInit, ms = 10_000): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(base + path, { ...init, signal: AbortSignal.timeout(ms) });
  } catch {
    throw new Refusal({ detail: 'no answer from the gateway', code: 'gateway-lost' });
  }
  if (answer.ok) return (await answer.json().catch(() => ({}))) as T;
  const problem = await answer.json().catch(() => ({ title: `${answer.status} ${answer.statusText}` }));
  if (answer.status === 401 && path !== '/me' && path !== '/login') whenStranger();
  throw new Refusal(problem as Problem, answer.status, Number(answer.headers.get('Retry-After')) || 0);
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  keepalive: true, // what was asked for in the last moment of a page is still sent: a talkback key that is let go
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/** me is who the gateway takes this page for. A gateway without users lets everybody do everything. */
export const me = (): Promise<Me> => ask<Me>('/me');

/** login exchanges a name and a password for a session, which the browser keeps as a cookie that no script can read. */
export const login = (user: string, password: string): Promise<Me> => ask<Me>('/login', post({ user, password }));

export const logout = (): Promise<unknown> => ask('/logout', { method: 'POST' });

/** devices lists what the gateway has, in the order of its configuration. */
export async function devices(): Promise<Device[]> {
  return (await ask<{ devices: Device[] | null }>('/devices')).devices ?? [];
}

/** commands of one device, with the labels that their arguments use. */
export async function commands(device: string): Promise<{ commands: Command[]; labels: LabelSets }> {
  const answer = await ask<{ commands: Command[] | null; label_sets?: LabelSets }>(`/devices/${encodeURIComponent(device)}/specs`);
  return { commands: answer.commands ?? [], labels: answer.label_sets ?? {} };
}

/** writes is the newest part of the log of one device, oldest first. */
export async function writes(device: string, max: number): Promise<Write[]> {
  const query = new URLSearchParams({ device, max: String(max) });
  return (await ask<{ writes: Write[] | null }>(`/writes?${query}`)).writes ?? [];
}

/** audit is the newest part of the log of the gateway after a number, oldest first. */
export async function audit(since: number): Promise<AuditEntry[]> {
  return (await ask<{ entries: AuditEntry[] | null }>(`/audit?since=${since}`)).entries ?? [];
}

/** write looks one write up. */
export function write(id: string): Promise<Write> {
  return ask<Write>(`/writes/${encodeURIComponent(id)}`);
}

/** probe finds out what stands at an address. It may take a minute. */
export const probe = (address: string): Promise<Probe> => ask<Probe>('/probe', post({ address }), 70_000);

/** send starts a write of one point and returns as soon as the gateway has accepted it. */
export function send(device: string, path: string, value: Value): Promise<Write> {
  return ask<Write>('/writes', post({ writes: [{ device, path, value }], wait: false }));
}

/** perform starts a command and returns as soon as the gateway has accepted it. */
export function perform(device: string, path: string, args: Record<string, Value>): Promise<Write> {
  return ask<Write>(`/devices/${encodeURIComponent(device)}/commands`, post({ path, args, wait: false }));
}
