// Records looked into by names from elsewhere, and options by name: a key that a maker doesn't know is refused, and the nearest one it knows is named.
import { ConfigError, type ConfigPosition, didYouMean } from "./errors.ts";

/** Options by the names that PyTorch, TensorFlow.js and Keras have for them, where those aren't near ours. */
const elsewhere: Readonly<Record<string, string>> = {
  axis: "dim dims",
  causal: "is_causal isCausal",
  dropout: "dropout_p",
  learningRate: "lr rate",
  p: "rate",
  epsilon: "eps",
  betas: "beta1 beta2",
  smoothing: "alpha",
  padding: "pad pads",
  size: "kernel_size kernelSize",
  bias: "use_bias useBias",
  positiveWeight: "pos_weight",
  threads: "num_workers",
  parameters: "params",
  dtype: "type",
};

/** A name of a config as code writes it: heat_pinn is heatPinn. */
export const camelCase = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What a record has under a key that a file or a user names; undefined where it has none of its own: `constructor` is a name like any other. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined | null, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The error for a key that isn't there. */
export const missingKey = (where: string, expected: string, position?: ConfigPosition): ConfigError =>
  new ConfigError({ where, problem: "a required key is missing", expected, position });

/** The error for a key or name that isn't known; `hint`: what is said where no known one is near. */
export function unknownKey(
  where: string,
  got: string,
  known: readonly string[],
  { problem = "unknown key", hint, position }: { problem?: string; hint?: string; position?: ConfigPosition } = {},
): ConfigError {
  const own = known.find((name) => ownValue(elsewhere, name)?.split(" ").includes(got));
  return new ConfigError({
    where,
    problem,
    got,
    expected: known.length > 1 ? `one of ${known.join(", ")}` : (known[0] ?? "no keys here"),
    hint: (own === undefined ? didYouMean(got, known) : `did you mean ${own}?`) ?? hint,
    position,
  });
}
