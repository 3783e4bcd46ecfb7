// Callables that must give a value at once: a promise in its place is an error, and what it rejects with later is nobody's.
import { ConfigError } from "./errors.ts";

/** Whether a value is a promise, or anything else that is awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "then" in value
    ? typeof value.then === "function"
    : false;
}

/** Gives the value, unless it is a promise: then throws what `refusal` makes. The promise's own rejection, if it comes to one, ends no process. */
export function settled<T>(value: T, refusal: () => Error): T {
  if (!isPromise(value)) return value;
  Promise.resolve(value).catch(() => undefined);
  throw refusal();
}

/** What a user's callable gave, named by `where`. Throws ConfigError, with the hint, for a promise. */
export function atOnce<T>(
  where: string,
  value: T,
  hint = "await what it needs before, and let it return the value itself",
): T {
  const problem = "a promise where a value was meant";
  const refusal = { where, problem, got: "a promise", expected: "a synchronous function", hint };
  return settled(value, () => new ConfigError(refusal));
}

let bodies = 0;
const ready = new WeakSet<object>();

/** Says that whoever made the promise has taken all that it depends on already: reading a tensor, calling a compiled function. */
export function allTaken<P extends Promise<unknown>>(promise: P): P {
  if (bodies > 0) ready.add(promise);
  return promise;
}

/** Runs a body that something surrounds only until it returns. Throws what `refusal` makes where it gives a promise, unless all was taken within. */
export function runWithin<T>(body: () => T, refusal: () => Error): T {
  bodies++;
  try {
    const value = body();
    return isPromise(value) && ready.has(value) ? value : settled(value, refusal);
  } finally {
    bodies--;
  }
}
