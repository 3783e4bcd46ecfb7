// Gradient accumulation, as the data sees it: an optimizer step takes a group of micro-batches, in the loader's order. What is left at an epoch's
// end is a group of fewer. Everything that watches a step is shown the group as one batch.
import { type HostArray, joined } from "../core/array.ts";
import { itemSize, makeArray } from "../core/dtype.ts";
import { DataError, refuse } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { type EpochDraws, epochDraws } from "./draws.ts";
import type { DataLoader, LoadedBatch } from "./loader.ts";

/** The tensors of one batch as a compiled step takes them. */
export type HostBatch = Readonly<Record<string, HostArray>>;

/** The micro-batches of an optimizer step, and each one's share of the group's samples, as float32. */
export interface MicroBatches {
  readonly batches: readonly HostBatch[];
  readonly shares: readonly number[];
}

/** What an optimizer step takes: a batch, or with accumulation its micro-batches. */
export type StepInput = HostBatch | MicroBatches;

/** The micro-batches of an optimizer step. */
export interface Group {
  readonly batches: readonly LoadedBatch[];
  /** For the compiled step. */
  readonly input: StepInput;
  /** The group as one batch: samples and their indices one after another. */
  readonly batch: LoadedBatch;
}

/** The epoch's batches from number `start` on, in groups of `size`, the last with what is left. */
export async function* groups(
  loader: Pick<DataLoader, "name" | "batches">,
  epoch: EpochDraws,
  size: number,
  start = 0,
): AsyncGenerator<Group> {
  let waiting: LoadedBatch[] = [];
  for await (const batch of loader.batches(epoch, start)) {
    waiting.push(batch);
    if (waiting.length < size) continue;
    yield groupOf(loader.name, waiting, size);
    waiting = [];
  }
  if (waiting.length > 0) yield groupOf(loader.name, waiting, size);
}

/** The epoch's first group, for its shapes: a pure function of the seed, so that looking changes nothing. Throws DataError for a loader without batches. */
export async function firstGroup(seed: bigint, loader: DataLoader, size: number): Promise<Group> {
  for await (const group of groups(loader, epochDraws(loader, seed, 0), size)) return group;
  throw new DataError({ where: `loader ${loader.name}`, problem: "it gives no batches", expected: "at least one" });
}

/** The first group of batches, and the last where it has another size. */
export async function variousGroups(seed: bigint, loader: DataLoader, size: number): Promise<Group[]> {
  const { samplesPerEpoch, batchesPerEpoch, batchSize } = loader;
  const found = [await firstGroup(seed, loader, size)];
  const last = (Math.ceil(batchesPerEpoch / size) - 1) * size;
  if (last > 0 && samplesPerEpoch < (last + size) * batchSize)
    for await (const group of groups(loader, epochDraws(loader, seed, 0), size, last)) found.push(group);
  return found;
}

/** The first batch of a validation, and the last where it has another size: a validation sees every sample. */
export async function validationBatches(where: string, seed: bigint, loader: DataLoader): Promise<LoadedBatch[]> {
  const draws = epochDraws(loader, seed, 0);
  const found: LoadedBatch[] = [];
  for (const start of new Set([0, Math.max(1, loader.batchesPerEpoch - 1)])) {
    for await (const batch of loader.batches(draws, start, { whole: true })) {
      if (found.length === 0 || samplesOf(batch) !== samplesOf(found[0])) found.push(batch);
      if (start === 0) break;
    }
    if (found.length === 0) throw noBatches(where, loader);
  }
  return found;
}

/** The error for a loader that gives nothing to look at. */
export const noBatches = (where: string, { name, batchSize }: DataLoader) =>
  new DataError({
    where: `${where}: loader ${name}`,
    problem: "it gives no batches",
    got: `batches of ${batchSize}`,
    expected: "at least one",
    hint: "dropLast: true leaves out a batch that isn't full",
  });

/** How many samples a batch has, by its indices, or else by its first tensor; 0 for one that holds nothing. */
export function samplesOf(batch: LoadedBatch): number {
  const indices = batch.indices as ArrayLike<number> | undefined;
  return indices?.length ?? Object.values(batch.tensors)[0]?.shape[0] ?? 0;
}

/** Micro-batches of so many samples each as a step takes them: what each gives counts by its samples. Throws DataError where there are none. */
export function microBatches(where: string, batches: readonly HostBatch[], samples: readonly number[]): MicroBatches {
  const all = samples.reduce((total, count) => total + count, 0);
  if (all === 0) refuse(DataError, where, "the batches of a step hold no samples", undefined, "at least one");
  return { batches, shares: samples.map((count) => Math.fround(count / all)) };
}

function groupOf(name: string, batches: readonly LoadedBatch[], size: number): Group {
  if (size === 1) return { batches, input: batches[0].tensors, batch: batches[0] };
  const tensors = batches.map((batch) => batch.tensors);
  let all: LoadedBatch["tensors"] | undefined;
  return {
    batches,
    input: microBatches(`loader ${name}`, tensors, batches.map(samplesOf)),
    batch: {
      get tensors() {
        all ??= joinTensors(name, batches);
        return all;
      },
      indices: joinIndices(batches),
    },
  };
}

/** Undefined where the loader gives none. */
function joinIndices(batches: readonly LoadedBatch[]): LoadedBatch["indices"] {
  const all = batches.map(({ indices }) => indices as ArrayLike<number> | undefined);
  if (all.includes(undefined)) return undefined as never;
  return all.flatMap((indices) => Array.from(indices!));
}

function joinTensors(name: string, batches: readonly LoadedBatch[]): LoadedBatch["tensors"] {
  return Object.fromEntries(
    Object.entries(batches[0].tensors).map(([field, { shape, dtype }]) => {
      const parts = batches.map(({ tensors }) => tensors[field]);
      const sample = shape.slice(1);
      for (const part of parts) {
        if (part?.dtype === dtype && part.shape.length > 0 && String(part.shape.slice(1)) === String(sample)) continue;
        throw new DataError({
          where: `loader ${name}: ${field}`,
          problem: "the micro-batches of a step have samples of different shapes, and can't be shown as one batch",
          got: part ? formatShape(part.shape) : "nothing",
          expected: formatShape(["…" as never, ...sample]),
          hint: "pad them to one length, or leave gradAccumSteps out",
        });
      }
      return [field, joined(parts)];
    }),
  );
}

/** What a batch of so many rows takes. */
export const batchBytes = (tensors: HostBatch, rows: number): number =>
  Object.values(tensors).reduce((sum, { shape, dtype }) => sum + rows * sizeOf(shape.slice(1)) * itemSize(dtype), 0);

/** A batch of so many rows: the given ones, again and again. */
export function resized(tensors: HostBatch, rows: number): HostBatch {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape, dtype }]) => {
      const width = sizeOf(shape.slice(1));
      const next = makeArray(dtype, rows * width);
      for (let row = 0; row < rows; row++) {
        const from = (row % shape[0]) * width;
        next.set(data.subarray(from, from + width), row * width);
      }
      return [name, { data: next, dtype, shape: [rows, ...shape.slice(1)] }];
    }),
  );
}
