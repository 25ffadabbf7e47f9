import type { Device, Problem, Value, Write } from './types.ts';

const base = '/api/v1';

/** Refusal is an answer of the gateway that says no, or the lack of any answer. */
export class Refusal extends Error {
  readonly hint: string;
  readonly code: string;

  constructor(problem: Problem) {
    super(problem.detail || problem.title || 'the gateway gave no reason');
    this.hint = problem.hint ?? '';
    this.code = problem.code ?? '';
  }
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(base + path, { ...init, signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new Refusal({ detail: 'no answer from the gateway', code: 'gateway-lost' });
  }
  if (answer.ok) return (await answer.json()) as T;
  const problem = await answer.json().catch(() => ({ title: `${answer.status} ${answer.statusText}` }));
  throw new Refusal(problem as Problem);
}

/** devices lists what the gateway has, in the order of its configuration. */
export async function devices(): Promise<Device[]> {
  return (await ask<{ devices: Device[] | null }>('/devices')).devices ?? [];
}

/** writes is the newest part of the log of one device, oldest first. */
export async function writes(device: string, max: number): Promise<Write[]> {
  const query = new URLSearchParams({ device, max: String(max) });
  return (await ask<{ writes: Write[] | null }>(`/writes?${query}`)).writes ?? [];
}

/** write looks one write up. */
export function write(id: string): Promise<Write> {
  return ask<Write>(`/writes/${encodeURIComponent(id)}`);
}

/** send starts a write of one point and returns as soon as the gateway has accepted it. */
export function send(device: string, path: string, value: Value): Promise<Write> {
  return ask<Write>('/writes', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ writes: [{ device, path, value }], wait: false }),
  });
}
