// Parts of a dataset that share no sample, drawn from the run's stream before its first epoch. A part knows how many samples it has, and which they are once the run's seed
// is known; all parts of one split are drawn at once, so that training and validation loaders of a run agree.
import { checkArguments, numbers } from "../core/arguments.ts";
import { sha256Hex } from "../core/canonical.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { countOf, finite, type Given, list, options as record, seed } from "../core/options.ts";
import { portion } from "../core/portion.ts";
import { permutation } from "../rng/samplers.ts";
import { parseSeed } from "../rng/stream.ts";
import { type Dataset, datasetKind } from "./dataset.ts";
import { splitOffset } from "./draws.ts";

export interface SplitOptions {
  /** The seed whose stream the parts are drawn from, in place of the run's: an integer in [0, 2⁶⁴). So that runs under several seeds have the same parts. */
  readonly seed?: bigint | number;
}

const call = record("data.randomSplit", { seed: seed.optional() }).call({
  dataset: datasetKind,
  parts: numbers,
});

/**
 * Parts of a dataset: `parts` are numbers of samples that sum to its size, or shares that sum to 1. A share's number of samples is rounded down; what is left goes to the first parts, one each. The order
 * that is cut in parts is one permutation, of 2·(samples − 1) draws from the training loader's draws before epoch 0; a loader's `shuffleSeed` doesn't move it. Throws DataError for parts that don't sum up, or hold nothing.
 */
export function randomSplit(dataset: Dataset, parts: readonly number[], options: SplitOptions = {}): Dataset[] {
  checkArguments(call, arguments);
  const { name, size, split } = dataset;
  const own = options.seed === undefined ? undefined : parseSeed(`dataset ${name}: seed`, options.seed);
  const sizes = sizesOf(name, size, parts);
  const begin = split?.draws ?? 0;
  const draws = begin + 2 * (size - 1);
  const offset = splitOffset(name, begin, draws);
  let known: { readonly seed: bigint; readonly order: Int32Array } | undefined;
  const orderOf = (seed: bigint): Int32Array => {
    if (known?.seed === seed) return known.order;
    const order = permutation(own ?? seed, offset, size);
    const whole = split?.order(seed);
    known = { seed, order: whole ? order.map((index) => whole[index]) : order };
    // In the order of the data, which is read faster so; a loader shuffles.
    for (let part = 0, begin = 0; part < sizes.length; begin += sizes[part++])
      known.order.subarray(begin, begin + sizes[part]).sort();
    return known.order;
  };
  let end = 0;
  return sizes.map((count, part) => {
    const from = end;
    end += count;
    const text = JSON.stringify({ sizes, part, begin, seed: own?.toString() ?? null });
    return {
      ...dataset,
      name: `${name}/${part}`,
      size: count,
      digests: { ...dataset.digests, [`${name}/${part}/split`]: sha256Hex(new TextEncoder().encode(text)) },
      split: {
        draws,
        ...(own !== undefined && { seed: own }),
        order: (seed) => orderOf(seed).subarray(from, from + count),
      },
    };
  });
}

function sizesOf(name: string, size: number, parts: readonly number[]): readonly number[] {
  const fail = (problem: string, got: readonly number[], expected: string): never => {
    throw new DataError({ where: `dataset ${name}: parts`, problem, got: got.join(", "), expected });
  };
  const sum = parts.reduce((total, part) => total + part, 0);
  const shares = parts.every((part) => part > 0 && part < 1);
  if (!shares && !parts.every((part) => Number.isSafeInteger(part) && part > 0))
    fail("not numbers of samples, and not shares", parts, "integers ≥ 1, or numbers in (0, 1)");
  if (shares ? Math.abs(sum - 1) > 1e-9 : sum !== size)
    fail("the parts don't sum up to the whole", parts, shares ? "shares that sum to 1" : `a sum of ${size} samples`);
  const sizes = shares ? parts.map((part) => Math.floor(portion(part, size))) : [...parts];
  let left = size - sizes.reduce((total, part) => total + part, 0);
  for (let part = 0; left > 0; part = (part + 1) % sizes.length, left--) sizes[part]++;
  return sizes.every((count) => count > 0) ? sizes : fail("a part holds no sample", sizes, "at least one in each");
}

/** One part of a random split, as a config says it. */
export const randomSplitRecord = record("random_split", {
  /** Numbers of samples that sum to all, or shares that sum to 1. */
  parts: list(finite),
  /** Which part, from 0. */
  part: countOf("parts", 0),
  /** The seed whose stream the parts are drawn from, in place of the run's. */
  seed: seed.optional(),
});
export type RandomSplit = Given<typeof randomSplitRecord>;

/** One part of a dataset. Throws ConfigError where the split has none of that number. */
export function partOf(dataset: Dataset, { parts, part, seed }: RandomSplit): Dataset {
  const found = randomSplit(dataset, parts, { seed })[part];
  if (found) return found;
  throw new ConfigError({
    where: `dataset ${dataset.name}: random_split.part`,
    problem: "no such part",
    got: String(part),
    expected: `an integer in [0, ${parts.length})`,
  });
}
