import { middle } from '../model/format.ts';

/** LongName cuts a name in its middle when it needs more than `most` letters; while it has the focus it is whole. */
export function LongName({ name, most }: { name: string; most: number }) {
  if (name.length <= most) return <>{name}</>;
  return (
    <>
      <span class="cut" aria-hidden="true">
        {middle(name, most)}
      </span>
      <span class="full">{name}</span>
    </>
  );
}
