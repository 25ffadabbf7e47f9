import { rolesOf } from '../store/find.ts';
import { route } from '../store/route.ts';
import { Forbidden } from './control.tsx';

/** Permission says in one line, for a whole panel, what may not be changed here and what would allow it. */
export function Permission({ device, family }: { device: string; family: string }) {
  const all = rolesOf(device).all.filter((e) => {
    const spec = e.spec.peek();
    return spec.role?.startsWith(family) && spec.access?.includes('w');
  });
  const closed = all.filter((e) => !e.spec.peek().writable);
  const first = closed.find((e) => e.spec.peek().hazard !== 'hazard') ?? closed[0];
  if (!first || route.value.wall) return null;
  // A wildcard grants no hazard point; those are named one by one.
  const pattern = first.spec.peek().hazard === 'hazard' ? first.path : `${first.path.split('/')[0]}${first.path.includes('/') ? '/**' : ''}`;
  const what = closed.length === all.length ? 'Read only' : `Read only: ${closed.length} of ${all.length} controls`;
  return <Forbidden what={what} device={device} path={pattern} given={first.spec.peek().writable_key ?? ''} />;
}
