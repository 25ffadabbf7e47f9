/** The one plain word for a machine, and the colour that this field gives it. */
export type Tone = 'red' | 'amber' | 'green' | 'blue' | 'off' | 'lost';
export type Mark = 'run' | 'hold' | 'idle' | 'hand' | 'alarm' | 'stop' | 'lost';

export interface PlainState {
  word: string;
  tone: Tone;
  mark: Mark;
}

export interface MachineFacts {
  link: boolean; // the device can be heard
  execution: string; // MTConnect's words, any case
  mode: string;
  emergency: string;
  alarms: number;
}

const held = new Set(['INTERRUPTED', 'FEED_HOLD', 'HOLD', 'OPTIONAL_STOP', 'PROGRAM_STOPPED', 'WAIT', 'PROGRAM_OPTIONAL_STOP']);
const byHand = new Set(['MANUAL', 'HANDLE', 'JOG']);

const upper = (key: string) => key.toUpperCase().replaceAll('-', '_');

/** plainState picks the word; the gravest fact wins. */
export function plainState(facts: MachineFacts): PlainState {
  if (!facts.link) return { word: 'No link', tone: 'lost', mark: 'lost' };
  if (upper(facts.emergency) === 'TRIGGERED') return { word: 'Emergency stop', tone: 'red', mark: 'stop' };
  if (facts.alarms > 0) return { word: 'Alarm', tone: 'red', mark: 'alarm' };
  const execution = upper(facts.execution);
  if (execution === 'ACTIVE') return { word: 'Running', tone: 'green', mark: 'run' };
  if (held.has(execution)) return { word: 'Held', tone: 'amber', mark: 'hold' };
  if (byHand.has(upper(facts.mode))) return { word: 'Manual', tone: 'off', mark: 'hand' };
  return { word: 'Idle', tone: 'off', mark: 'idle' };
}

/** loadTone is the colour of a load bar: amber and red from the given percentages. */
export function loadTone(percent: number, amber: number, red: number): Tone {
  const size = Math.abs(percent);
  return size >= red ? 'red' : size >= amber ? 'amber' : 'off';
}

/** Alarm is one row of the control's list in words that do not depend on the column names of a driver. */
export interface Alarm {
  line: string; // exactly as the control writes it
  since: string;
}

/**
 * alarmOf writes one row as the control does: the column `line` where the driver has it, else put together. `code` holds what the control shows in front ("SV0401"); the axis stands in
 * brackets behind it. A text that already begins with the code is left alone.
 */
export function alarmOf(row: Record<string, unknown>): Alarm {
  const say = (name: string) => (row[name] === null || row[name] === undefined ? '' : String(row[name]));
  const code = say('code') || say('number');
  const axis = say('axis');
  const text = say('text');
  const since = say('first-seen');
  if (say('line')) return { line: say('line'), since };
  if (code && text.startsWith(code)) return { line: text, since };
  const head = [code, axis && `(${axis})`].filter(Boolean).join(' ');
  return { line: [head, text].filter(Boolean).join(' '), since };
}
