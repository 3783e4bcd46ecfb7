// What cases compute, as data that also goes to other processes: seedgrad and its peers build the same work from it, on the same inputs.
// Nothing here may import from src: peers load this file without the engine.

/** One piece of work. Numbers in `range` are [low, high). */
export type Workload =
  | {
      readonly kind: "matmul";
      /** Leading axis of both operands; none if left out. */
      readonly batch?: number;
      readonly rows: number;
      readonly depth: number;
      readonly columns: number;
      /** Which operand is stored transposed: `nt` is a·bᵀ, `tn` is aᵀ·b. */
      readonly form: "nn" | "nt" | "tn";
    }
  /** Cross-correlation of [batch, inputs, extent, extent] with 3 × 3 filters, padded to the same extent. */
  | {
      readonly kind: "conv2d";
      readonly batch: number;
      readonly inputs: number;
      readonly outputs: number;
      readonly extent: number;
    }
  | {
      readonly kind: "elementwise";
      readonly op: string;
      readonly operands: number;
      readonly count: number;
      readonly range: readonly [number, number];
    }
  /** max((a·b + a − 0.5)·b, 0): five operations that fuse into one pass. */
  | { readonly kind: "chain"; readonly count: number }
  /** Sum over an axis of a matrix, or over everything. */
  | { readonly kind: "sum"; readonly rows: number; readonly columns: number; readonly axis: 0 | 1 | "all" }
  | { readonly kind: "softmax" | "layerNorm"; readonly rows: number; readonly columns: number }
  /** `count` rows of a table read by number, or added to by number: an embedding's forward and backward pass. */
  | { readonly kind: "gather" | "scatter"; readonly rows: number; readonly columns: number; readonly count: number }
  /** Of a family of ops, by name: what it computes stands with its row. */
  | { readonly kind: "family"; readonly name: string; readonly operands: readonly Operand[] }
  | { readonly kind: "uniform" | "normal" | "permutation"; readonly count: number }
  /** A training step: forward, backward and update. */
  | {
      readonly kind: "mlp";
      readonly sizes: readonly number[];
      readonly dropout: number;
      readonly batch: number;
      readonly optimizer: "sgd" | "adam" | "adamW";
    }
  /** For each of the channels a 3 × 3 convolution, relu and pooling by 2, then a linear layer, over square images of one channel; Adam. */
  | {
      readonly kind: "cnn";
      readonly channels: readonly number[];
      readonly extent: number;
      readonly classes: number;
      readonly batch: number;
    }
  | {
      /** LSTM layers over sequences of as many features, and an affine layer; Adam. */
      readonly kind: "lstm";
      readonly width: number;
      readonly layers: number;
      readonly classes: number;
      readonly length: number;
      readonly batch: number;
    }
  | {
      readonly kind: "gpt";
      readonly vocabulary: number;
      readonly width: number;
      readonly heads: number;
      readonly layers: number;
      readonly context: number;
      readonly batch: number;
    };

/** Momentum of `sgd`, and the learning rates that all sides use. */
export const momentum = 0.9;
export const learningRate = { sgd: 0.1, adam: 1e-3, adamW: 1e-3 } as const;

/** An operand: float32 numbers in a range, or int32 in [0, below). */
export type Operand =
  | { readonly shape: readonly number[]; readonly range: readonly [number, number] }
  | { readonly shape: readonly number[]; readonly below: number };

/** The operands of a workload, in order. The training steps take a batch: inputs, targets. */
export function operandsOf(workload: Workload): Operand[] {
  const unit = [-1, 1] as const;
  switch (workload.kind) {
    case "matmul": {
      const { batch, rows, depth, columns, form } = workload;
      const leading = batch === undefined ? [] : [batch];
      return [
        { shape: [...leading, ...(form === "tn" ? [depth, rows] : [rows, depth])], range: unit },
        { shape: [...leading, ...(form === "nt" ? [columns, depth] : [depth, columns])], range: unit },
      ];
    }
    case "conv2d": {
      const { batch, inputs, outputs, extent } = workload;
      return [
        { shape: [batch, inputs, extent, extent], range: unit },
        { shape: [outputs, inputs, 3, 3], range: unit },
      ];
    }
    case "elementwise":
      return Array.from({ length: workload.operands }, () => ({ shape: [workload.count], range: workload.range }));
    case "chain":
      return [0, 1].map(() => ({ shape: [workload.count], range: unit }));
    case "sum":
    case "softmax":
    case "layerNorm":
      return [{ shape: [workload.rows, workload.columns], range: [-4, 4] }];
    case "gather":
      return [
        { shape: [workload.rows, workload.columns], range: unit },
        { shape: [workload.count], below: workload.rows },
      ];
    case "scatter":
      return [
        { shape: [workload.count], below: workload.rows },
        { shape: [workload.count, workload.columns], range: unit },
      ];
    case "family":
      return [...workload.operands];
    case "mlp": {
      const { batch, sizes } = workload;
      return [
        { shape: [batch, sizes[0]], range: unit },
        { shape: [batch], below: sizes[sizes.length - 1] },
      ];
    }
    case "cnn": {
      const { batch, extent, classes } = workload;
      return [
        { shape: [batch, 1, extent, extent], range: unit },
        { shape: [batch], below: classes },
      ];
    }
    case "lstm": {
      const { batch, length, width, classes } = workload;
      return [
        { shape: [batch, length, width], range: unit },
        { shape: [batch, length], below: classes },
      ];
    }
    case "gpt": {
      const { batch, context, vocabulary } = workload;
      return [0, 1].map(() => ({ shape: [batch, context], below: vocabulary }));
    }
    default:
      return [];
  }
}

/** The operand's elements: a fixed recurrence (Numerical Recipes' LCG) from a start that depends on its place. */
export function fill(operand: Operand, place: number): Float32Array | Int32Array {
  const count = operand.shape.reduce((product, extent) => product * extent, 1);
  let state = 12345 + place;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  if ("below" in operand) return Int32Array.from({ length: count }, () => next() % operand.below);
  const [low, high] = operand.range;
  const step = (high - low) / 2 ** 24;
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = low + next() * step;
  return data;
}

/** The elements of all operands. */
export function fillAll(
  workload: Workload,
): { readonly data: Float32Array | Int32Array; readonly shape: readonly number[] }[] {
  return operandsOf(workload).map((operand, place) => ({ data: fill(operand, place), shape: operand.shape }));
}
