// Records looked into by names from elsewhere, and options by name: a key that a maker doesn't know is refused, and the nearest one it knows is named.
import { ConfigError, type ConfigPosition, didYouMean } from "./errors.ts";

/** Names of PyTorch, TensorFlow.js and Keras for options of another name here; where one stands for several, the one that is known counts. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  dim: ["axis"],
  dims: ["axis"],
  axes: ["axis"],
  keepdim: ["keepDims"],
  keepdims: ["keepDims"],
  keep_dims: ["keepDims"],
  is_causal: ["causal"],
  isCausal: ["causal"],
  dropout_p: ["dropout"],
  rate: ["learningRate", "p"],
  lr: ["learningRate"],
  learning_rate: ["learningRate"],
  eps: ["epsilon"],
  weight_decay: ["weightDecay"],
  beta1: ["betas"],
  beta2: ["betas"],
  alpha: ["smoothing"],
  strides: ["stride"],
  pad: ["padding"],
  pads: ["padding"],
  kernel_size: ["size"],
  kernelSize: ["size"],
  use_bias: ["bias"],
  useBias: ["bias"],
  label_smoothing: ["labelSmoothing"],
  pos_weight: ["positiveWeight"],
  log_target: ["logTarget"],
  batch_size: ["batchSize"],
  num_workers: ["threads"],
  drop_last: ["dropLast"],
  params: ["parameters"],
  type: ["dtype"],
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
  const own = Object.hasOwn(elsewhere, got) ? elsewhere[got].find((name) => known.includes(name)) : undefined;
  return new ConfigError({
    where,
    problem,
    got,
    expected: known.length > 1 ? `one of ${known.join(", ")}` : (known[0] ?? "no keys here"),
    hint: (own === undefined ? didYouMean(got, known) : `did you mean ${own}?`) ?? hint,
    position,
  });
}
