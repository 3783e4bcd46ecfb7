// The format that matrix products round to, for as long as a body runs.
import { callable, checkArguments, kind, signature } from "../core/arguments.ts";
import { type NarrowFormat, narrowFormats } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { runWithin } from "../core/promise.ts";

const autocastCall = signature("autocast", {
  format: kind(
    "null, or one of bfloat16 and float16",
    (value) => value === null || narrowFormats.includes(value as NarrowFormat),
  ),
  body: callable,
});

let narrowed: NarrowFormat | undefined;

/** The format of the `autocast` that is around, if any. */
export function castFormat(): NarrowFormat | undefined {
  return narrowed;
}

/**
 * Runs `body`, in which every matrix product rounds its operands and its result to the format, and in the backward pass its gradients likewise; sums within a
 * product stay float32, and so does every other op. null: no rounding. `body` must be synchronous: a
 * promise is a DTypeError, unless it is a tensor's or a compiled call's own.
 */
export function autocast<T>(format: NarrowFormat | null, body: () => T): T {
  checkArguments(autocastCall, arguments);
  const before = narrowed;
  narrowed = format ?? undefined;
  try {
    return runWithin(body, asyncBody);
  } finally {
    narrowed = before;
  }
}

const asyncBody = () =>
  new DTypeError({
    where: "autocast",
    problem: "the body is asynchronous",
    got: "a promise",
    expected: "a value",
    hint: "the format holds only until the body returns: build tensors in it, and await their values outside",
  });
