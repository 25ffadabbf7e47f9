import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Entry } from '../store/store.ts';
import { palette, theme } from '../store/settings.ts';

const spans = [1, 5, 10] as const;

/** Plot draws the minutes of one number that this page has seen. A gap is a time without a good value. */
export function Plot({ e }: { e: Entry }) {
  const box = useRef<HTMLDivElement>(null);
  const [minutes, setMinutes] = useState<number>(1);
  const look = `${theme.value} ${palette.value}`;
  const spec = e.spec.value;

  useEffect(() => {
    const home = box.current;
    if (!home) return;
    const style = getComputedStyle(home);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--dim'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: '12px system-ui, sans-serif',
    };
    const height = 150;
    const plot = new uPlot(
      {
        width: home.clientWidth,
        height,
        padding: [10, 34, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false },
        scales: { x: { time: true }, y: { range: (_, low, high) => (spec.kind === 'bool' ? [-0.1, 1.1] : roomy(low, high)) } },
        axes: [
          { ...axis, size: 30, space: 70, values: '{HH}:{mm}:{ss}' },
          { ...axis, size: 56, space: 30, values: (_, ticks) => ticks.map((t) => String(Number(t.toPrecision(6))).replace('-', '−')) },
        ],
        series: [{}, { stroke: colour('--text'), width: 1.5, points: { show: false }, paths: uPlot.paths.stepped!({ align: 1 }) }],
      },
      [[], []],
      home,
    );
    const draw = () => {
      const end = Date.now() / 1000;
      const [times, values] = e.history?.since(end - minutes * 60) ?? [[], []];
      // The newest value is still in force now.
      if (times.length > 0) {
        times.push(end);
        values.push(values.at(-1) ?? null);
      }
      plot.setData([times, values], false);
      plot.batch(() => {
        plot.setScale('x', { min: end - minutes * 60, max: end });
      });
    };
    draw();
    const timer = setInterval(draw, 500);
    const watch = new ResizeObserver(() => plot.setSize({ width: home.clientWidth, height }));
    watch.observe(home);
    return () => {
      clearInterval(timer);
      watch.disconnect();
      plot.destroy();
    };
  }, [e, minutes, look]);

  return (
    <section class="plot" aria-label={`Plot of ${spec.title || e.path}`}>
      <div class="plot-box" ref={box} role="img" aria-label="what this page has seen of the value" />
      <div class="segments" role="group" aria-label="Time shown">
        {spans.map((m) => (
          <button type="button" key={m} aria-pressed={m === minutes} onClick={() => setMinutes(m)}>
            {m} min
          </button>
        ))}
      </div>
    </section>
  );
}

/** roomy leaves air around the curve and gives a flat line a scale of its own. */
function roomy(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  if (low === high) {
    const air = Math.max(Math.abs(low) * 0.1, 1);
    return [low - air, high + air];
  }
  const air = (high - low) * 0.08;
  return [low - air, high + air];
}
