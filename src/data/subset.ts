// Some of a dataset's samples, which are named: one of several folds, the classes of a kind, rare ones more than once, long ones last.
import { checkArguments, kind, signature } from "../core/arguments.ts";
import { canonicalBytes, sha256Hex } from "../core/canonical.ts";
import { DataError, refuse } from "../core/errors.ts";
import { type Dataset, datasetKind } from "./dataset.ts";

const call = signature("data.subset", {
  dataset: datasetKind,
  samples: kind("a list of numbers, or an Int32Array", (value) =>
    Array.isArray(value) ? [...value].every((each) => typeof each === "number") : value instanceof Int32Array,
  ),
});

/**
 * The samples of these numbers, in their order, PyTorch's `Subset`; one that is named twice is there twice. Which they are is in the digests, and so in a run's. Throws DataError for none,
 * and for a number that isn't in [0, size).
 */
export function subset(dataset: Dataset, samples: readonly number[] | Int32Array): Dataset {
  checkArguments(call, arguments);
  const { name, size, split, digests } = dataset;
  const named = Array.from(samples);
  const where = `dataset ${name}: samples`;
  const wrong = named.find((sample) => !(Number.isInteger(sample) && sample >= 0 && sample < size));
  if (wrong !== undefined) refuse(DataError, where, "no sample has this number", wrong, `an integer in [0, ${size})`);
  if (named.length === 0) refuse(DataError, where, "a part holds no sample", "none", "at least one");
  const chosen = Int32Array.from(named);
  return {
    ...dataset,
    name: `${name}/subset`,
    size: chosen.length,
    digests: { ...digests, [`${name}/subset`]: sha256Hex(canonicalBytes(chosen)) },
    split: {
      draws: split?.draws ?? 0,
      ...(split?.seed !== undefined && { seed: split.seed }),
      order(seed) {
        const whole = split?.order(seed);
        return whole ? chosen.map((sample) => whole[sample]) : chosen;
      },
    },
  };
}
