import type { Signal } from '@preact/signals';
import type { Filter, Wanted } from '../model/log.ts';

const outcomes: [Wanted, string][] = [
  ['all', 'Everything'],
  ['done', 'Done'],
  ['wrong', 'Refused or failed'],
];

interface Props {
  filter: Signal<Filter>;
  users: string[];
  shown: number;
  all: number;
  what: string; // of what the lines are, in the plural
}

/** LogFilter narrows a log by outcome and by user. */
export function LogFilter({ filter, users, shown, all, what }: Props) {
  const { outcome, user } = filter.value;
  const offered = user && !users.includes(user) ? [...users, user] : users;
  return (
    <div class="finder">
      <div class="segments" role="group" aria-label="Outcome">
        {outcomes.map(([is, name]) => (
          <button type="button" key={is} aria-pressed={outcome === is} onClick={() => (filter.value = { outcome: is, user })}>
            {name}
          </button>
        ))}
      </div>
      <label class="check">
        by
        <select value={user} onChange={(event) => (filter.value = { outcome, user: event.currentTarget.value })}>
          <option value="">everybody</option>
          {offered.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <span class="quiet" role="status">
        {shown === all ? `${all} ${what}` : `${shown} of ${all} ${what}`}
      </span>
    </div>
  );
}
