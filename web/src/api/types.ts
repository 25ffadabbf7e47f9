/** The objects of docs/guide/http.md. Optional fields are absent when they say nothing. */

export type Quality = 'good' | 'uncertain' | 'bad';
export type Row = Record<string, unknown>;
export type Value = boolean | number | string | Row[] | null;

export interface Link {
  state: string;
  since?: string;
  error?: string;
  error_class?: string;
  hint?: string;
  next_attempt?: string;
  round_trip_ms?: number;
  condition?: string;
  last_data?: string;
}

export interface Device {
  name: string;
  driver: string;
  title?: string;
  panel?: string;
  url?: string;
  simulated?: boolean;
  labels?: Record<string, string>;
  writable?: string[];
  writable_all?: boolean;
  config_key?: string;
  link?: Link;
  point_count?: number;
}

export interface Spec {
  device: string;
  path: string;
  kind: 'bool' | 'int' | 'float' | 'string' | 'enum' | 'bytes' | 'list' | 'none';
  rate?: string;
  access?: string;
  unit?: string;
  min?: number;
  max?: number;
  step?: number;
  decimals?: number;
  labels?: string;
  columns?: Spec[];
  confirm?: string;
  title?: string;
  doc?: string;
  role?: string;
  hazard?: string;
  grade?: string;
  attributes?: Record<string, string>;
  writable?: boolean;
  writable_key?: string;
}

export interface Label {
  value: number;
  key: string;
  text: string;
  short?: string; // as on a button, where the device has such a name
}

export interface Point {
  device: string;
  path: string;
  value?: Value;
  text?: string;
  label?: string;
  quality: Quality;
  reason?: string;
  source?: string;
  received?: string;
  seq: number;
}

export interface Step {
  stage: string;
  at: string;
  final?: boolean;
  class?: string;
  text?: string;
  hint?: string;
}

export interface WriteItem {
  device: string;
  path: string;
  command?: boolean;
  old?: Value;
  new?: Value;
  args?: unknown;
  now?: Value;
  steps?: Step[];
}

export interface Write {
  id: string;
  seq: number;
  at: string;
  who?: { user?: string; door?: string; addr?: string };
  stage: string;
  final: boolean;
  items: WriteItem[];
}

export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  hint?: string;
  code?: string;
  did_you_mean?: string;
}

/** Me is who this page is signed in as, and what the gateway tells everybody about how it is reached. */
export interface Me {
  access: 'open' | 'login'; // open: nobody needs to sign in
  user?: string; // absent while nobody is signed in
  role?: string; // viewer, operator or admin
  writable?: string[] | null; // patterns DEVICE/PATH that narrow what may be written
  expires?: string; // when the session ends at the latest
  insecure?: boolean; // others reach the gateway without users or without encryption
  insecure_why?: string;
}

export interface Command {
  path: string;
  args: Spec[];
  title?: string;
  doc?: string;
  role?: string;
  hazard?: string;
  grade?: string;
  writable?: boolean;
  writable_key?: string;
}

/** AuditEntry is one line of the log of the gateway. */
export interface AuditEntry {
  seq: number;
  at: string;
  what: string; // write, command, native, login, logout, reload, lost
  user?: string;
  door?: string;
  addr?: string;
  id?: string;
  device?: string;
  path?: string;
  raw?: string; // a message of a native client
  old?: string;
  new?: string;
  outcome?: string;
  why?: string;
}

/** Probe is what stands at an address. */
export interface Probe {
  match: boolean;
  urls: string[];
  verdict: string;
  advice?: string;
  steps: ProbeStep[];
}

export interface ProbeStep {
  step: string;
  target: string;
  outcome: string;
  took_ms: number;
  sent?: string; // hex
  received?: string;
  found?: string[];
  meaning: string;
  advice?: string;
}

/** LabelSets of one device, by id. */
export type LabelSets = Record<string, Label[]>;
