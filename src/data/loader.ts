// Loaders: batches of a dataset in an order that is a pure function of the seed and of the epoch's range of draws. A loader has no state:
// who trains keeps epoch and cursor, and can start again at any batch.

import { anything, callable, checkArguments } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { type DType, itemSize, makeArray, type TypedArray } from "../core/dtype.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { code, countOf, flag, type Given, options as optionsOf, share, Type } from "../core/options.ts";
import { atOnce } from "../core/promise.ts";
import { sizeOf } from "../core/shape.ts";
import { permutation } from "../rng/samplers.ts";
import { parseSeed } from "../rng/stream.ts";
import { type Characters, type Dataset, datasetKind } from "./dataset.ts";
import type { EpochDraws } from "./draws.ts";
import { randomSplit } from "./split.ts";

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

/** What every loader takes. */
export const loaderRecord = optionsOf(
  "dataloader",
  {
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
    /** Makes other tensors of a batch's; a function of the batch alone, it draws nothing. */
    transform: code<Transform>(callable).optional(),
  },
  "data.dataLoader",
);
export type LoaderOptions = Given<typeof loaderRecord>;

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
function gather({ name, fields }: Dataset, indices: Int32Array, { transform, spare }: Gathering): LoadedBatch {
  const gathered: Record<string, HostArray> = {};
  for (const [key, field] of Object.entries(fields)) {
    const { shape, dtype } = field;
    const data = spare.array(dtype, indices.length * sizeOf(shape));
    atOnce(`dataset ${name}: read of ${key}`, field.read(indices, data));
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

function loaderOf(dataset: Dataset, options: LoaderOptions): DataLoader {
  const { name, size, digests, columns, vocabulary, split } = dataset;
  const { batchSize, shuffle = false, dropLast = shuffle, transform = (tensors) => tensors } = options;
  const shuffleSeed =
    options.shuffleSeed === undefined ? undefined : parseSeed(`loader ${name}: shuffleSeed`, options.shuffleSeed);
  if (shuffleSeed !== undefined && !shuffle) {
    throw new ConfigError({
      where: `loader ${name}: shuffleSeed`,
      problem: "a seed for an order that isn't shuffled",
      got: String(shuffleSeed),
      hint: "set shuffle: true, or leave the seed out",
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
  const batchesPerEpoch = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
  return {
    name,
    batchSize,
    batchesPerEpoch,
    samplesPerEpoch: dropLast ? batchesPerEpoch * batchSize : size,
    drawsPerEpoch: shuffle ? 2 * (size - 1) : 0,
    ...(shuffleSeed !== undefined && { shuffleSeed }),
    ...(split && split.seed === undefined && { splitDraws: split.draws }),
    digests,
    ...(columns && { columns }),
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
      return (function* () {
        const order = shuffle
          ? permutation(shuffleSeed ?? seed, offset, size)
          : Int32Array.from({ length: size }, (_, i) => i);
        const part = split?.order(seed);
        const spare = new Spare();
        for (let batch = start; batch < count; batch++) {
          const indices = order.slice(batch * batchSize, (batch + 1) * batchSize);
          yield gather(dataset, part ? indices.map((index) => part[index]) : indices, { transform, spare });
        }
      })();
    },
  };
}
