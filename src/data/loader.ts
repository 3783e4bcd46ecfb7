// Loaders: batches of a dataset in an order that is a pure function of the seed and of the epoch's range of draws. A loader has no state:
// who trains keeps epoch, offset and cursor, and can start again at any batch.
import type { HostArray } from "../core/array.ts";
import { makeArray } from "../core/dtype.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { permutation } from "../rng/samplers.ts";
import type { Dataset } from "./dataset.ts";

/** A batch on the host. */
export interface LoadedBatch {
  /** By field: [batch, ...sample shape]. */
  readonly tensors: Readonly<Record<string, HostArray>>;
  /** Which samples it holds, by their numbers in the dataset. */
  readonly indices: ArrayLike<number>;
}

/** Where an epoch's draws begin in the seed's stream. */
export interface EpochDraws {
  readonly seed: bigint;
  readonly offset: number;
}

/** What a Trainer reads batches from. */
export interface DataLoader {
  readonly name: string;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly samplesPerEpoch: number;
  /** Draws that an epoch takes in all, reserved at its border. */
  readonly drawsPerEpoch: number;
  /** SHA-256 of the data under it, by name. */
  readonly digests: Readonly<Record<string, string>>;
  /** The epoch's batches from number `start` (0) on: the same ones whenever it is called. */
  batches(epoch: EpochDraws, start?: number): Iterable<LoadedBatch> | AsyncIterable<LoadedBatch>;
}

export interface LoaderOptions {
  readonly batchSize: number;
  /** A new order each epoch, from the stream: 2·(samples − 1) draws. Otherwise the dataset's own order, no draws. */
  readonly shuffle?: boolean;
  /** Leaves out a last batch that isn't full; as `shuffle` unless given. */
  readonly dropLast?: boolean;
  /** Makes other tensors of a batch's; a function of the batch alone, it draws nothing. */
  readonly transform?: (tensors: LoadedBatch["tensors"], indices: LoadedBatch["indices"]) => LoadedBatch["tensors"];
}

/** Samples of a dataset as one batch, in fresh memory: whoever gets it may keep it. */
function gather(fields: Dataset["fields"], indices: Int32Array): Record<string, HostArray> {
  const tensors: Record<string, HostArray> = {};
  for (const [key, field] of Object.entries(fields)) {
    const { shape, dtype } = field;
    const width = sizeOf(shape);
    const data = makeArray(dtype, indices.length * width);
    for (let row = 0; row < indices.length; row++) field.read(indices[row], data, row * width);
    tensors[key] = { data, dtype, shape: [indices.length, ...shape] };
  }
  return tensors;
}

/** Batches of a dataset. Throws ConfigError unless batchSize is an integer in [1, samples]; `batches` throws DataError for a start past the epoch's end. */
export function dataLoader(
  dataset: Dataset,
  { batchSize, shuffle = false, dropLast = shuffle, transform = (tensors) => tensors }: LoaderOptions,
): DataLoader {
  const { name, size, fields, digests } = dataset;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > size) {
    throw new ConfigError({
      where: `loader ${name}: batchSize`,
      problem: "not a batch size",
      got: String(batchSize),
      expected: `an integer in [1, ${size}], the number of samples`,
    });
  }
  const batchesPerEpoch = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
  return {
    name,
    batchSize,
    batchesPerEpoch,
    samplesPerEpoch: dropLast ? batchesPerEpoch * batchSize : size,
    drawsPerEpoch: shuffle ? 2 * (size - 1) : 0,
    digests,
    batches({ seed, offset }, start = 0) {
      if (!Number.isSafeInteger(start) || start < 0 || start > batchesPerEpoch) {
        throw new DataError({
          where: `loader ${name}`,
          problem: "no such batch to start at",
          got: String(start),
          expected: `an integer in [0, ${batchesPerEpoch}], the batches of an epoch`,
        });
      }
      return (function* () {
        const order = shuffle ? permutation(seed, offset, size) : Int32Array.from({ length: size }, (_, i) => i);
        for (let batch = start; batch < batchesPerEpoch; batch++) {
          const indices = order.slice(batch * batchSize, (batch + 1) * batchSize);
          yield { tensors: transform(gather(fields, indices), indices), indices };
        }
      })();
    },
  };
}
