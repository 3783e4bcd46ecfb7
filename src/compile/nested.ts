// Kernels that are repeated, as loops over lists: what stands in a plan flat.
import type { Repeat } from "../../kernels/kernel.ts";

/** Something by itself, or a loop over such. */
export type Nested<T> = { readonly item: T } | { readonly repeat: Repeat; readonly body: readonly Nested<T>[] };

/** Things in their order, those of a loop together. */
export function nested<T>(
  items: readonly T[],
  repeatOf: (item: T) => Repeat | undefined,
  within?: Repeat,
): Nested<T>[] {
  const found: Nested<T>[] = [];
  for (let at = 0; at < items.length; ) {
    const repeat = childOf(repeatOf(items[at]), within);
    if (!repeat) {
      found.push({ item: items[at++] });
      continue;
    }
    const first = at;
    while (at < items.length && childOf(repeatOf(items[at]), within) === repeat) at++;
    found.push({ repeat, body: nested(items.slice(first, at), repeatOf, repeat) });
  }
  return found;
}

/** The loop just inside `within` that a loop is, or is in. */
export function childOf(repeat: Repeat | undefined, within: Repeat | undefined): Repeat | undefined {
  let loop = repeat;
  while (loop && loop !== within && loop.within !== within) loop = loop.within;
  return loop === within ? undefined : loop;
}

/** The position of a loop's iteration. */
export const positionOf = ({ count, reverse }: Repeat, turn: number): number => (reverse ? count - 1 - turn : turn);
