// Errors as data, for where they can't go as objects: to another thread. There they are of the same class, with the same fields and message, and the stack that they had.
import { errorClasses, SeedgradError } from "../core/errors.ts";

/** An error as plain data. */
export interface Failure {
  /** Its class: one of ours, or of JavaScript's own. */
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** What one of ours has beside: `where`, `problem`, `got` …, a position, a step. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: Failure;
}

/** So many causes are followed: one may be its own. */
const deepest = 8;

/** What was thrown, as data. Fields that can't go to another thread are left out. */
export function failureOf(error: unknown, depth = 0): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack, cause } = error;
  const fields = Object.fromEntries(
    Object.entries(error).filter(
      ([key, value]) => !["name", "message", "stack", "cause"].includes(key) && isData(value),
    ),
  );
  return {
    name,
    message,
    stack,
    ...(error instanceof SeedgradError && { fields }),
    ...(cause !== undefined && depth < deepest && { cause: failureOf(cause, depth + 1) }),
  };
}

/** Whether another thread can be given it. */
function isData(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

const own: Readonly<Record<string, new (message: string) => Error>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
};

/** The error that a failure was. */
export function errorOf(failure: Failure): Error {
  const { name, message, stack, fields, cause } = failure;
  const Known = Object.hasOwn(errorClasses, name) ? errorClasses[name] : fields && SeedgradError;
  const error = Known ? new SeedgradError({ where: "", problem: "" }) : new (own[name] ?? Error)(message);
  if (Known) Object.setPrototypeOf(error, Known.prototype);
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.assign(error, fields);
  Object.defineProperty(error, "message", { ...hidden, value: message });
  Object.defineProperty(error, "stack", { ...hidden, value: stack ?? `${name}: ${message}` });
  if (cause) Object.defineProperty(error, "cause", { ...hidden, value: errorOf(cause) });
  error.name = name;
  return error;
}
