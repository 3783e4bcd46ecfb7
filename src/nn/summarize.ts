// What a model shows of itself while it runs: numbers and tensors by name, for whoever logs them. Outside a training step it does nothing, and it
// changes neither hash nor bits.
import { checkArguments, signature, string } from "../core/arguments.ts";
import { DTypeError, refuse, ShapeError } from "../core/errors.ts";
import { currentTrace, type TraceScope } from "../graph/scope.ts";
import { tensor as tensorKind } from "../tensor/arguments.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Summary {
  readonly name: string;
  readonly tensor: Tensor;
}

const byTrace = new WeakMap<TraceScope, Summary[]>();

function add(where: string, name: string, tensor: Tensor): void {
  if (tensor.dtype !== "float32")
    refuse(DTypeError, where, `${name} isn't of floats`, tensor.dtype, "float32", 'tensor.cast("float32")');
  const trace = currentTrace();
  if (!trace) return;
  const known = byTrace.get(trace) ?? [];
  byTrace.set(trace, [...known.filter((summary) => summary.name !== name), { name, tensor }]);
}

const [scalarCall, tensorCall] = ["summarizeScalar", "summarizeTensor"].map((name) =>
  signature(name, { name: string, tensor: tensorKind }),
);

/** Inside a model's `forward`: has the callback TensorSummaries log a scalar. tensor: [] float32. Throws ShapeError, DTypeError. */
export function summarizeScalar(name: string, tensor: Tensor): void {
  checkArguments(scalarCall, arguments);
  if (tensor.rank !== 0) {
    const got = `[${tensor.shape.join(", ")}]`;
    refuse(ShapeError, "summarizeScalar", `${name} isn't a scalar`, got, "[]", "summarizeTensor takes any shape");
  }
  add("summarizeScalar", name, tensor);
}

/** Inside a model's `forward`: has the callback TensorSummaries log a tensor's mean, deviation and extremes. Any shape, float32. Throws DTypeError. */
export function summarizeTensor(name: string, tensor: Tensor): void {
  checkArguments(tensorCall, arguments);
  add("summarizeTensor", name, tensor);
}

/** What the open trace was given, in order. */
export function summarized(): readonly Summary[] {
  const trace = currentTrace();
  return (trace && byTrace.get(trace)) ?? [];
}
