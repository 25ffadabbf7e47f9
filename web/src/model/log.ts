/** Filters of the logs: what became of a line, and whose it is. */

export type Outcome = 'open' | 'done' | 'wrong';
export type Wanted = 'all' | 'done' | 'wrong';

const good = new Set(['confirmed', 'acknowledged', 'sent', 'dry-run', 'ok', 'allowed', 'done']);

/** outcomeOf sorts the stage of a write, or the outcome of a line of the audit. */
export const outcomeOf = (stage: string, final: boolean): Outcome => (!final ? 'open' : good.has(stage) ? 'done' : 'wrong');

interface Who {
  user?: string;
  door?: string;
  addr?: string;
}

/** whoName is the name that a line is filtered by: the user, or for lack of one the address without its port. */
export function whoName(who: Who | undefined): string {
  if (who?.user) return who.user;
  const addr = who?.addr ?? '';
  return addr.replace(/:\d+$/, '') || who?.door || 'not known';
}

/** whoWords is everything that is known of the origin: "anna, http, 192.0.2.7:50112". */
export const whoWords = (who: Who | undefined): string => [who?.user, who?.door, who?.addr].filter(Boolean).join(', ');

export interface Filter {
  outcome: Wanted;
  user: string; // '' is everybody
}

/** passes says whether a line is wanted; what has not ended yet is shown with every outcome. */
export function passes(filter: Filter, outcome: Outcome, who: string): boolean {
  if (filter.user && filter.user !== who) return false;
  return filter.outcome === 'all' || outcome === 'open' || outcome === filter.outcome;
}
