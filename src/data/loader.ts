// Loaders: batches of a dataset in an order that is a pure function of the seed and of the epoch's range of draws. A loader has no state:
// who trains keeps epoch and cursor, and can start again at any batch.

import { anything, callable, checkArguments, kind } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { sha256Hex } from "../core/canonical.ts";
import { type DType, itemSize, makeArray, type TypedArray } from "../core/dtype.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { code, countOf, flag, type Given, list, options as optionsOf, part, share, Type } from "../core/options.ts";
import { atOnce } from "../core/promise.ts";
import { sizeOf } from "../core/shape.ts";
import { fillWords } from "../rng/draws.ts";
import { parseSeed } from "../rng/stream.ts";
import { type Characters, type Dataset, datasetKind, type Table, type TableState } from "./dataset.ts";
import type { EpochDraws } from "./draws.ts";
import { sampleOrder } from "./order.ts";
import { randomSplit } from "./split.ts";
import type { RandomTransform } from "./transforms/transform.ts";

/** A batch on the host. */
export interface LoadedBatch {
  /** By field: [batch, ...sample shape]. */
  readonly tensors: Readonly<Record<string, HostArray>>;
  /** Which samples it holds, by their numbers in the dataset. */
  readonly indices: ArrayLike<number>;
}

/** What a Trainer reads batches from. */
export interface DataLoader {
  readonly name: string;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly samplesPerEpoch: number;
  /** Draws that an epoch takes in all: the same number for each, so that an epoch's range is known from its number. */
  readonly drawsPerEpoch: number;
  /** Draws before epoch 0 that decide which samples it holds: of a part of a split. */
  readonly splitDraws?: number;
  /** Data that were set aside for validation: what `fit` validates on where it is given nothing else. */
  readonly validation?: DataLoader;
  /** A seed of its own, in [0, 2⁶⁴): `batches` draws the same ranges from that seed's stream in place of the epoch's. */
  readonly shuffleSeed?: bigint;
  /** SHA-256 of the data under it, by name. */
  readonly digests: Readonly<Record<string, string>>;
  /** Of a table: the names of its inputs' columns. Validation and prediction find columns by these. */
  readonly columns?: readonly string[];
  /** Of a table: how its inputs are learned of the rows that are trained on, and read by what was learned elsewhere. */
  readonly table?: LoaderTable;
  /** Of images in folders: the class of each number. */
  readonly classes?: readonly string[];
  /** Of a text: its characters. A model with a smaller vocabulary is refused. */
  readonly vocabulary?: Characters;
  /**
   * The epoch's batches from number `start` (0) on: the same ones whenever it is called. `whole`, which validation and prediction ask for: the last
   * short batch too, where the loader leaves it out only by default.
   */
  batches(
    epoch: EpochDraws,
    start?: number,
    how?: { readonly whole?: boolean },
  ): Iterable<LoadedBatch> | AsyncIterable<LoadedBatch>;
  /** Takes a batch's memory back, for a later one: its arrays are empty from then on. Who doesn't call it may keep what `batches` gave. A loader made of another that gives a batch twice leaves it out. */
  release?(batch: LoadedBatch): void;
}

/** Makes other tensors of a batch's; a function of the batch alone, it draws nothing. */
type Transform = (tensors: LoadedBatch["tensors"], indices: LoadedBatch["indices"]) => LoadedBatch["tensors"];

const isTransform = (value: unknown): boolean => {
  const { name, draws, apply } = (value ?? {}) as Partial<RandomTransform>;
  return typeof name === "string" && Number.isSafeInteger(draws) && typeof apply === "function";
};

/** What every loader takes. */
export const loaderRecord = optionsOf("dataloader", "data.dataLoader", {
  /** Samples of a batch. */
  batchSize: countOf("samples"),
  /** A new order each epoch, from the stream: 2·(samples − 1) draws. Otherwise the dataset's own order, no draws. */
  shuffle: flag.optional(),
  /** Leaves out a last batch that isn't full; as `shuffle` unless given, and then only in training: validation and prediction see every sample. */
  dropLast: flag.optional(),
  /** The seed whose stream gives the orders, in place of the run's: an integer in [0, 2⁶⁴). So that runs under several seeds see the same batches. Part of the run's digest. */
  shuffleSeed: new Type<bigint | number>("an integer in [0, 2⁶⁴)", anything, { kind: "seed" }).optional(),
  /** The share of the samples that is set aside for validation: a random split, as `randomSplit` makes it. The loader has the rest, and `validation` is a loader of these. */
  validationSplit: share.optional(),
  /** Shuffles within windows of so many neighbouring samples, which come in a random order: for data on disk, which are then read in one place at a time. */
  shuffleWindow: countOf("samples", 2).optional(),
  /** Random changes of training batches, one after another, from the epoch's own draws; validation and prediction leave them out. */
  augment: list(part<RandomTransform>("transform", kind("a transform: data.randomFlip() …", isTransform))).optional(),
  /** Makes other tensors of a batch's; a function of the batch alone, it draws nothing. */
  transform: code<Transform>(callable).optional(),
});
export type LoaderOptions = Given<typeof loaderRecord>;

/** A table behind a loader. */
export interface LoaderTable {
  /** What the loader's samples under a run's seed teach; undefined where there is nothing to learn. */
  fit(seed: bigint): TableState | undefined;
  /** The loader with inputs by what was learned elsewhere. Throws DataError as `Table.under` does. */
  under(state: TableState): DataLoader;
}

/** Memory that batches gave back, as long as one loop over an epoch lasts: fresh memory costs more than what is written into it. */
class Spare {
  readonly #buffers: ArrayBuffer[] = [];

  /** Zeros. */
  array(dtype: DType, size: number): TypedArray {
    const bytes = size * itemSize(dtype);
    const at = this.#buffers.findIndex(({ byteLength }) => byteLength === bytes);
    if (at < 0) return makeArray(dtype, size);
    const [buffer] = this.#buffers.splice(at, 1);
    new Uint8Array(buffer).fill(0);
    return makeArray(dtype, size, buffer);
  }

  /** Takes an array's memory; the array, and every other view of it, is empty from then on. */
  take({ buffer }: TypedArray): void {
    if (buffer.byteLength === 0) return;
    this.#buffers.push(structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] }));
  }
}

/** Samples of a dataset as one batch. */
function gather({ name, fields }: Dataset, indices: Int32Array, { transform, spare, read }: Gathering): LoadedBatch {
  const gathered: Record<string, HostArray> = {};
  for (const [key, field] of Object.entries(fields)) {
    const { shape, dtype } = field;
    const data = spare.array(dtype, indices.length * sizeOf(shape));
    if (read) data.set(elementsOf(`dataset ${name}: read of ${key}`, read[key], data));
    else atOnce(`dataset ${name}: read of ${key}`, field.read(indices, data), "data.asyncDataset reads later");
    gathered[key] = { data, dtype, shape: [indices.length, ...shape] };
  }
  let tensors: LoadedBatch["tensors"] | undefined = atOnce(`loader ${name}: transform`, transform(gathered, indices));
  const batch: LoadedBatch = {
    get tensors() {
      if (tensors) return tensors;
      throw new DataError({
        where: `loader ${name}`,
        problem: "a batch is read after its memory was given back",
        hint: "a hook copies what it keeps (batch.tensors.inputs.data.slice()); a loader that gives batches of another more than once has no release",
      });
    },
    indices,
  };
  releases.set(batch, () => {
    tensors = undefined;
    for (const { data } of Object.values(gathered)) spare.take(data);
  });
  return batch;
}

/** What giving back a batch's memory does. */
const releases = new WeakMap<LoadedBatch, () => void>();

interface Gathering {
  readonly transform: Transform;
  readonly spare: Spare;
  /** The samples' elements, where they were read before. */
  readonly read?: Readonly<Record<string, TypedArray>>;
}

/** What was read of a field. Throws DataError unless it is of its dtype, and as much as the batch holds. */
function elementsOf(where: string, read: TypedArray | undefined, wanted: TypedArray): TypedArray {
  if (read?.constructor === wanted.constructor && read.length === wanted.length) return read;
  const shown = (array: TypedArray | undefined) =>
    array ? `${array.length} elements of ${array.constructor.name}` : "nothing";
  throw new DataError({
    where,
    problem: "other elements than its field says",
    got: shown(read),
    expected: shown(wanted),
  });
}

/** The loader's first `count` batches of epoch 0, again and again: what a model should be able to learn by heart. */
export function firstBatches(loader: DataLoader, count: number): DataLoader {
  const batchesPerEpoch = Math.min(count, loader.batchesPerEpoch);
  return {
    ...loader,
    batchesPerEpoch,
    samplesPerEpoch: Math.min(loader.samplesPerEpoch, batchesPerEpoch * loader.batchSize),
    // With none of its own every epoch's range begins where epoch 0's does.
    drawsPerEpoch: 0,
    async *batches(epoch, start = 0) {
      let at = start;
      if (at >= batchesPerEpoch) return;
      for await (const batch of loader.batches(epoch, start)) {
        yield batch;
        if (++at >= batchesPerEpoch) return;
      }
    },
  };
}

const call = loaderRecord.call({ dataset: datasetKind });

/**
 * Batches of a dataset; one larger than it is one short batch. Throws ConfigError unless batchSize is an integer ≥ 1, for a shuffleSeed without shuffle, and for a validationSplit that is no share, StreamError for one that is no seed;
 * `batches` throws DataError for a start past the epoch's end.
 */
export function dataLoader(dataset: Dataset, options: LoaderOptions): DataLoader {
  checkArguments(call, arguments);
  const { validationSplit, ...rest } = options;
  if (validationSplit === undefined) return loaderOf(dataset, rest);
  const [train, validation] = randomSplit(dataset, [1 - validationSplit, validationSplit]);
  const { batchSize, transform } = rest;
  return { ...loaderOf(train, rest), validation: loaderOf(validation, { batchSize, transform }) };
}

/** Throws ConfigError for what only a shuffled order takes, DataError for a number of samples that batches can't be made of. */
function checkOrder(
  { name, size }: Dataset,
  { shuffle, shuffleSeed, shuffleWindow }: Pick<LoaderOptions, "shuffle" | "shuffleSeed" | "shuffleWindow">,
): void {
  if (shuffleSeed !== undefined && !shuffle) {
    throw new ConfigError({
      where: `loader ${name}: shuffleSeed`,
      problem: "a seed for an order that isn't shuffled",
      got: String(shuffleSeed),
      hint: "set shuffle: true, or leave the seed out",
    });
  }
  if (shuffleWindow !== undefined && !shuffle) {
    throw new ConfigError({
      where: `loader ${name}: shuffleWindow`,
      problem: "windows of an order that isn't shuffled",
      got: String(shuffleWindow),
      hint: "set shuffle: true, or leave the windows out",
    });
  }
  if (!(Number.isInteger(size) && size >= 1 && size < 2 ** 31)) {
    throw new DataError({
      where: `loader ${name}`,
      problem: "not a number of samples that batches can be made of",
      got: String(size),
      expected: "an integer in [1, 2^31)",
    });
  }
}

function loaderOf(dataset: Dataset, options: LoaderOptions): DataLoader {
  const { name, size, digests, columns, vocabulary, classes, split, table, later } = dataset;
  const { batchSize, shuffle = false, dropLast = shuffle, transform = (tensors) => tensors, augment = [] } = options;
  const { shuffleWindow } = options;
  const shuffleSeed =
    options.shuffleSeed === undefined ? undefined : parseSeed(`loader ${name}: shuffleSeed`, options.shuffleSeed);
  checkOrder(dataset, { shuffle, shuffleSeed, shuffleWindow });
  const orderDraws = shuffle ? 2 * (size - 1) : 0;
  const sampleDraws = augment.reduce((sum, { draws }) => sum + draws, 0);
  const changes = augment.map((each) => [each.name, each.made]);
  const said = JSON.stringify({ shuffleWindow, ...(changes.length > 0 && { augment: changes }) });
  const fitted = table && learned(dataset, table);
  // Every validation of a run reads by the same state.
  let known: { readonly state: TableState; readonly loader: DataLoader } | undefined;
  const batchesPerEpoch = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
  return {
    name,
    batchSize,
    batchesPerEpoch,
    samplesPerEpoch: dropLast ? batchesPerEpoch * batchSize : size,
    drawsPerEpoch: orderDraws + size * sampleDraws,
    ...(shuffleSeed !== undefined && { shuffleSeed }),
    ...(split && split.seed === undefined && { splitDraws: split.draws }),
    digests: said === "{}" ? digests : { ...digests, [`${name}/loader`]: sha256Hex(new TextEncoder().encode(said)) },
    ...(columns && { columns }),
    ...(classes && { classes }),
    ...(table && {
      table: {
        fit: (seed: bigint) => table.fit(split?.order(seed)),
        under(state: TableState) {
          if (known?.state !== state)
            known = { state, loader: loaderOf({ ...dataset, ...table.under(state), table: undefined }, options) };
          return known.loader;
        },
      },
    }),
    ...(vocabulary && { vocabulary }),
    release(batch) {
      releases.get(batch)?.();
      releases.delete(batch);
    },
    batches({ seed, offset }, start = 0, { whole = false } = {}) {
      const count = whole && options.dropLast === undefined ? Math.ceil(size / batchSize) : batchesPerEpoch;
      if (!Number.isSafeInteger(start) || start < 0 || start > count) {
        throw new DataError({
          where: `loader ${name}`,
          problem: "no such batch to start at",
          got: String(start),
          expected: `an integer in [0, ${count}], the batches of an epoch`,
        });
      }
      const chosen = function* () {
        const from = { seed: shuffleSeed ?? seed, offset };
        const order = sampleOrder(size, shuffle ? from : undefined, shuffleWindow);
        const part = split?.order(seed);
        const source = fitted?.(seed) ?? dataset;
        const spare = new Spare();
        for (let batch = start; batch < count; batch++) {
          const samples = order(batch * batchSize, (batch + 1) * batchSize);
          const random = whole ? [] : augment;
          const change = (tensors: LoadedBatch["tensors"], indices: LoadedBatch["indices"]) =>
            transform(transformed(random, tensors, wordsOf(from, orderDraws, sampleDraws, samples)), indices);
          const indices = part ? samples.map((index) => part[index]) : samples;
          yield {
            indices,
            made: (read?: Gathering["read"]) => gather(source, indices, { transform: change, spare, read }),
          };
        }
      };
      if (!later)
        return (function* () {
          for (const { made } of chosen()) yield made();
        })();
      return (async function* () {
        for (const { indices, made } of chosen()) yield made(await later(indices));
      })();
    },
  };
}

/** The dataset as each seed's samples teach it, one seed remembered; undefined where there is nothing to learn. */
function learned(dataset: Dataset, table: Table): (seed: bigint) => Dataset | undefined {
  let known: { readonly seed: bigint; readonly dataset: Dataset | undefined } | undefined;
  return (seed) => {
    if (known?.seed !== seed) {
      const state = table.fit(dataset.split?.order(seed));
      known = { seed, dataset: state && { ...dataset, ...table.under(state) } };
    }
    return known.dataset;
  };
}

/** The words of samples, `each` for every one in turn: those of sample i begin i · each draws after the order's. */
function wordsOf({ seed, offset }: EpochDraws, orderDraws: number, each: number, samples: Int32Array): Uint32Array {
  const words = new Uint32Array(samples.length * each);
  if (each > 0)
    samples.forEach((sample, row) => {
      fillWords(seed, offset + orderDraws + sample * each, words.subarray(row * each, (row + 1) * each));
    });
  return words;
}

/** A batch after each transform, which takes its own of every sample's words. */
function transformed(
  transforms: readonly RandomTransform[],
  tensors: LoadedBatch["tensors"],
  words: Uint32Array,
): LoadedBatch["tensors"] {
  const each = transforms.reduce((sum, { draws }) => sum + draws, 0);
  const samples = each === 0 ? 0 : words.length / each;
  let at = 0;
  return transforms.reduce((changed, { draws, apply }) => {
    const own = new Uint32Array(samples * draws);
    for (let row = 0; row < samples; row++)
      own.set(words.subarray(row * each + at, row * each + at + draws), row * draws);
    at += draws;
    return apply(changed, own);
  }, tensors);
}
