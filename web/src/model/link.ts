import { span, words } from './format.ts';

/** What the page knows about the connection between gateway and device. Times are page time, 0 unknown. */
export interface LinkFacts {
  state: string;
  since: number;
  error: string;
  errorClass: string;
  hint: string;
  nextAttempt: number;
  condition: string; // what the device waits for, as its driver says it
  conditionCode: string; // the same for programs, and for the list
}

const causes: Record<string, string> = {
  unreachable: 'not reachable',
  refused: 'refused',
  timeout: 'no answer',
  closed: 'connection closed',
  'not-this-protocol': 'speaks another protocol',
  auth: 'not admitted',
  'device-said-no': 'the device declined',
  unsupported: 'not supported',
  busy: 'busy',
  internal: 'fault in the gateway',
};

/** cause is an error class in a few words. */
export const cause = (errorClass: string): string => causes[errorClass] ?? (errorClass ? words(errorClass) : 'no connection');

/** waitingShort says what a device waits for in a few words; the panel says the rest. */
function waitingShort(link: LinkFacts): string {
  const code = words(link.conditionCode);
  if (code.startsWith('waiting for ')) return code;
  return `waiting: ${code || link.condition || 'the device wants something from a person'}`;
}

/** linkWords says the state of a link in a line: "connected 2 h", "no answer, next try 4 s". */
export function linkWords(link: LinkFacts, now: number): string {
  const held = link.since ? ` ${span(now - link.since)}` : '';
  switch (link.state) {
    case 'up':
      return `connected${held}`;
    case 'connecting':
      return link.errorClass || link.error ? `${cause(link.errorClass)}, trying again` : 'connecting';
    case 'waiting':
      return waitingShort(link);
    case 'down':
      if (link.nextAttempt > now) return `${cause(link.errorClass)}, next try ${span(link.nextAttempt - now)}`;
      return `${cause(link.errorClass)}${link.nextAttempt ? ', trying again' : ''}`;
    case 'stopped':
      return link.errorClass ? `stopped: ${cause(link.errorClass)}` : 'stopped';
    case '':
      return 'not known yet';
  }
  return words(link.state);
}
