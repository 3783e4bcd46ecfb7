// Batches compared: which rows differ, and which samples they are.
import { ownValue } from "../core/keys.ts";
import { sizeOf } from "../core/shape.ts";
import type { EpochDraws } from "../data/draws.ts";
import type { LoadedBatch } from "../data/loader.ts";
import { sameElements } from "./bits.ts";
import { type Cause, likelySeeds, movedRange, nearby } from "./causes.ts";
import type { Place, SideState } from "./lockstep.ts";

/** Rows of two batches that differ, by their number. */
function differingRows(a: LoadedBatch, b: LoadedBatch): number[] {
  const count = Math.max(...[a, b].flatMap(({ tensors }) => Object.values(tensors).map(({ shape }) => shape[0] ?? 0)));
  return Array.from({ length: count }, (_, row) => row).filter((row) => !sameRow(a, row, b, row));
}

function sameRow(a: LoadedBatch, i: number, b: LoadedBatch, j: number): boolean {
  return Object.entries(a.tensors).every(([name, { data, shape }]) => {
    const other = ownValue(b.tensors, name);
    const width = sizeOf(shape.slice(1));
    if (!other || sizeOf(other.shape.slice(1)) !== width) return false;
    return sameElements(data.subarray(i * width, (i + 1) * width), other.data.subarray(j * width, (j + 1) * width));
  });
}

/** Why two batches of the same step differ. */
export async function causeOfBatch([a, b]: readonly [SideState, SideState]): Promise<Cause> {
  const [first, second] = [a.place!, b.place!];
  const [x, y] = [a.batch!, b.batch!];
  const same =
    x.indices.length === y.indices.length && Array.from(x.indices).every((index, i) => index === y.indices[i]);
  if (!same) return causeOfOrder([a, b], [first, second]);
  const rows = differingRows(x, y);
  const [row] = rows;
  if (row === undefined)
    return { name: "unknown", detail: "the batches are the same, but not what went into the step" };
  for (let other = 0; other < x.indices.length; other++) {
    if (other === row || !sameRow(y, row, x, other)) continue;
    const swapped = sameRow(x, row, y, other);
    const detail = swapped
      ? `rows ${row} and ${other} are swapped`
      : `row ${row} of the second is row ${other} of the first`;
    return { name: "data row", detail: `${detail} (samples ${x.indices[row]} and ${x.indices[other]})` };
  }
  for (const [state, place, batch, which] of [
    [a, first, y, "second"],
    [b, second, x, "first"],
  ] as const) {
    const sample = await sampleLike(state, place, batch, row);
    if (sample === undefined || sample === x.indices[row]) continue;
    return {
      name: "data row",
      detail: `row ${row} of the ${which} is sample ${sample}, and should be sample ${x.indices[row]}`,
    };
  }
  const others = Object.keys(a.loader.digests).filter((name) => a.loader.digests[name] !== b.loader.digests[name]);
  const held = [await sampleLike(a, first, x, row), await sampleLike(b, second, y, row)];
  if (others.length > 0 && held.every((sample) => sample === x.indices[row])) {
    const more = rows.length > 1 ? `, the first of ${rows.length} in this batch` : "";
    const detail = `sample ${x.indices[row]}, row ${row} of the batch${more}, has other values in each side's data: ${others.join(", ")}`;
    return { name: "data row", detail };
  }
  return {
    name: "unknown",
    detail: `row ${row}, sample ${x.indices[row]}, holds other values on each side, and those of no sample of its epoch`,
  };
}

/** Which sample of the epoch a row is. */
async function sampleLike(
  { loader }: SideState,
  place: Place,
  batch: LoadedBatch,
  row: number,
): Promise<number | undefined> {
  for await (const candidate of loader.batches(place)) {
    for (let i = 0; i < candidate.indices.length; i++)
      if (sameRow(batch, row, candidate, i)) return candidate.indices[i];
  }
  return undefined;
}

/** Why two batches hold other samples. */
async function causeOfOrder(
  [a, b]: readonly [SideState, SideState],
  [first, second]: readonly [Place, Place],
): Promise<Cause> {
  const wanted = Array.from(b.batch!.indices).join();
  if (first.seed !== second.seed)
    return { name: "another seed", detail: `samples in the order of seed ${second.seed} in place of ${first.seed}` };
  const draws = a.loader.drawsPerEpoch;
  if (first.offset !== second.offset) return movedRange(first.offset, second.offset, draws);
  const { seed, offset, cursor } = first;
  const count = b.batch!.indices.length;
  const indicesAt = (place: EpochDraws): string => {
    const found: number[] = [];
    for (const { indices } of a.loader.batches(place, cursor) as Iterable<LoadedBatch>) {
      found.push(...Array.from(indices));
      if (found.length >= count) break;
    }
    return found.join();
  };
  // A loader that gives its batches later can't be asked about every range.
  if (Symbol.iterator in a.loader.batches(first, cursor)) {
    const found = nearby(offset, (at) => indicesAt({ seed, offset: at }) === wanted);
    if (found !== undefined) return movedRange(offset, found, draws);
    const other = likelySeeds(seed).find((candidate) => indicesAt({ seed: candidate, offset }) === wanted);
    if (other !== undefined)
      return { name: "another seed", detail: `samples in the order of seed ${other} in place of ${seed}` };
  }
  const sorted = [a, b].map(({ batch }) =>
    Array.from(batch!.indices)
      .sort((x, y) => x - y)
      .join(),
  );
  if (sorted[0] === sorted[1]) return { name: "data row", detail: "the same samples in another order" };
  return { name: "unknown", detail: "other samples, in the order of no range of draws near" };
}
