// PyTorch's names in files of weights, where ours are others: running statistics, and the parts of attention and of a transformer's layers.
import type { HostArray } from "../core/array.ts";

/** What of a path is another word here. */
const words: readonly (readonly [RegExp, string])[] = [
  [/\brunning_mean$/, "runningMean"],
  [/\brunning_var$/, "runningVariance"],
  [/\bnum_batches_tracked$/, "batchesTracked"],
  [/\bself_attn\./, "attention."],
  [/\bmultihead_attn\./, "memoryAttention."],
  [/\bout_proj\./, "out."],
  [/\blinear1\./, "mlp.0."],
  [/\blinear2\./, "mlp.3."],
];

/**
 * A file's tensors by the names of a model, which are `names`: one that the model doesn't have under its own name has ours. What PyTorch packs for queries, keys and values is three tensors here. A count of
 * batches is left out where the model has running statistics without one: nothing depends on it.
 */
export function byOurNames(
  tensors: ReadonlyMap<string, HostArray>,
  names: ReadonlySet<string>,
): (readonly [string, HostArray])[] {
  const named = ([name, array]: readonly [string, HostArray]): (readonly [string, HostArray])[] => {
    if (names.has(name)) return [[name, array]];
    const ours = words.reduce((path, [theirs, word]) => path.replace(theirs, word), name);
    if (names.has(ours)) return [[ours, array]];
    if (/\bbatchesTracked$/.test(ours) && names.has(ours.replace(/batchesTracked$/, "runningMean"))) return [];
    const parts = ["query", "key", "value"].map((part) => ours.replace(/\bin_proj_(weight|bias)$/, `${part}.$1`));
    if (parts[0] === ours || !parts.every((part) => names.has(part))) return [[name, array]];
    const [rows, ...rest] = array.shape;
    const [shape, size] = [[rows / 3, ...rest], array.data.length / 3];
    return parts.map((part, i) => [part, { ...array, shape, data: array.data.subarray(i * size, (i + 1) * size) }]);
  };
  return [...tensors].flatMap(named);
}
