import type { Entry } from '../store/store.ts';
import type { Row } from '../api/types.ts';
import { words } from '../model/format.ts';

/** Rows shows a list point as a table, in the columns of its description. */
export function Rows({ e }: { e: Entry }) {
  const spec = e.spec.value;
  const point = e.point.value;
  const rows: Row[] = Array.isArray(point?.value) ? point.value : [];
  const columns = spec.columns?.map((c) => c.path) ?? Object.keys(rows[0] ?? {});
  if (rows.length === 0) return <p class="quiet">none</p>;
  return (
    <div class="scroll">
      <table class={`rows ${point?.quality ?? 'bad'}`}>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c}>{words(c)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {columns.map((c) => (
                <td key={c}>{row[c] === null || row[c] === undefined ? '' : String(row[c])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
