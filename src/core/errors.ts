// Every error the engine throws on purpose: one message shape, one class a kind, typed fields. Messages are built here only.
import { messagePart } from "./printable.ts";

/** What an error says: the op or place, what is wrong, what was there, what should be, and what to do. */
export interface ErrorDetails {
  /** The op, file, config path or other place. */
  where: string;
  problem: string;
  got?: string;
  expected?: string;
  hint?: string;
  cause?: unknown;
}

/** Letters of a value that a message shows. */
const shownLength = 60;

/** Under this key an object says what messages call it. */
export const inMessages = Symbol("inMessages");

/** A value as a message shows it: short, and never by the value's own code. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(short(value));
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return short(value.toString());
  if (typeof value === "function") return value.name ? `the function ${short(value.name)}` : "a function";
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const items = (list: ArrayLike<unknown>) => {
    const shown = Array.from({ length: Math.min(list.length, 6) }, (_, i) => {
      const item = list[i];
      return Array.isArray(item) ? `[${item.length} items]` : showValue(item);
    });
    return [...shown, ...(list.length > shown.length ? [`… ${list.length} in all`] : [])].join(", ");
  };
  if (Array.isArray(value)) return `[${items(value)}]`;
  if (inMessages in value) return String(value[inMessages]);
  const above = Object.getPrototypeOf(value);
  if (above === null || Object.getPrototypeOf(above) === null) {
    const keys = Object.keys(value);
    return keys.length === 0 ? "{}" : short(`{ ${keys.slice(0, 8).join(", ")}${keys.length > 8 ? ", …" : ""} }`);
  }
  const { name } = (above.constructor ?? {}) as { name?: unknown };
  return typeof name === "string" && name !== "" ? `a ${short(name)}` : "an object";
}

const short = (text: string): string => (text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);

/** Where the engine's own files are, as lines of a stack name them. In a bundle of another format than a module's nobody knows: there a stack is left as it is. */
const here: string | undefined = import.meta.url;
const ownRoots = (here === undefined ? [] : ["../", "../../kernels/"]).flatMap((path) => {
  const { href } = new URL(path, here);
  return href.startsWith("file://") ? [href, decodeURIComponent(href.slice(7))] : [href];
});
const ownRoot = (line: string) => ownRoots.find((root) => line.includes(root));

/** Frames kept of a stack: composites and gradients call deep before they reach the caller's line. */
const depth = 64;

/** What has a stack. */
export type Traced = Pick<Error, "stack">;

/** What has the stack of now, deep enough to reach the caller of the engine; engines without V8's stack API give what they have. Formatting waits until the stack is read. */
export function deepStack(error?: Error): Traced {
  if (typeof Error.captureStackTrace !== "function") return error ?? new Error();
  const limit = Error.stackTraceLimit;
  const traced: Traced = error ?? {};
  Error.stackTraceLimit = depth;
  Error.captureStackTrace(traced);
  Error.stackTraceLimit = limit;
  return traced;
}

/** A stack as what is above its frames, and its frames from the caller's line on: without the engine's own at the top. */
function fromCaller(stack: string | undefined): {
  readonly above: readonly string[];
  readonly frames: readonly string[];
} {
  const lines = stack?.split("\n") ?? [];
  const start = lines.findIndex((line) => /^\s+at /.test(line));
  if (start < 0 || ownRoots.length === 0) return { above: lines, frames: [] };
  let first = start;
  while (first < lines.length && (lines[first].endsWith("(<anonymous>)") || ownRoot(lines[first]))) first++;
  return { above: lines.slice(0, start), frames: lines.slice(first) };
}

/** The first stack line outside the engine, as `file:line:column`, or undefined. Where a node was made. */
export function callerSite(stack: string | undefined): string | undefined {
  const [line] = fromCaller(stack).frames;
  return line?.match(/\(?((?:file:\/\/|\/|[A-Za-z]:|https?:\/\/)[^()]+:\d+:\d+)\)?$/)?.[1];
}

/** The parts that make nodes on behalf of others. */
const makers = /^(src\/)?(core|graph|ops|autograd|tensor|compile|backend)\/|^kernels\//;

/** The first stack line in the engine's own parts above ops and tensors (a layer, a loss, an optimizer), as `src/nn/linear.ts:28:12`. */
export function layerSite(stack: string | undefined): string | undefined {
  for (const line of stack?.split("\n") ?? []) {
    const own = ownRoot(line);
    const place = own && line.slice(line.indexOf(own) + own.length).match(/^[^()]+:\d+:\d+/)?.[0];
    if (!place) continue;
    const path = own.includes("kernels/") ? `kernels/${place}` : `src/${place}`;
    if (!makers.test(path)) return path;
  }
  return undefined;
}

/** Base of all errors thrown on purpose: `<where>: <problem>: got <…>, expected <…>`, then `Hint: …`. */
export class SeedgradError extends Error {
  readonly where: string;
  readonly problem: string;
  readonly got?: string;
  readonly expected?: string;
  readonly hint?: string;

  constructor(details: ErrorDetails) {
    const { where, problem, got, expected, hint, cause } = details;
    const facts = [
      got === undefined ? "" : `got ${messagePart(got)}`,
      expected === undefined ? "" : `expected ${messagePart(expected)}`,
    ]
      .filter(Boolean)
      .join(", ");
    super(
      `${messagePart(where)}: ${messagePart(problem)}${facts ? `: ${facts}` : ""}${hint ? `\nHint: ${messagePart(hint)}` : ""}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = nameOf(new.target);
    this.where = where;
    this.problem = problem;
    this.got = got;
    this.expected = expected;
    this.hint = hint;
    const { above, frames } = fromCaller(deepStack(this).stack);
    if (frames.length > 0) this.stack = [...above, ...frames].join("\n");
  }
}

/** Shapes, axes, extents or indices that don't fit. */
export class ShapeError extends SeedgradError {}
/** Element types that don't fit. */
export class DTypeError extends SeedgradError {}
/** An error of shapes or dtypes as that of the call that it arose in: who calls a composite or a layer knows nothing of the ops that it is made of. One that says so much already (`said`: a layer's own, nn.linear) and others are as they are. */
export function asErrorOf(where: string, error: unknown, said = /^nn\./): unknown {
  if (!(error instanceof ShapeError || error instanceof DTypeError)) return error;
  if (said.test(error.where) || `${error.where}.`.startsWith(`${where}.`)) return error;
  const Kind = error.constructor as typeof ShapeError;
  const inside = where === `nn.${error.where}` || error.problem.endsWith(")") ? "" : ` (in ${error.where})`;
  const made = new Kind({ ...error, where, problem: error.problem + inside });
  // What it was thrown by may be a function of the caller's, as in nn.lambda.
  made.stack = error.stack?.replace(error.message, () => made.message);
  return made;
}

/** A gradient that doesn't exist or was asked of the wrong thing. */
export class GradError extends SeedgradError {}
/** A value read, or a cell used, where tracing or an overwritten version forbids it. */
export class TraceError extends SeedgradError {}
/** A backend that is unknown, missing, or not what it claims to be. */
export class BackendError extends SeedgradError {}
/** A seed or a range of draws out of bounds. */
export class StreamError extends SeedgradError {}
/** Data that is missing, changed, truncated or not of its format. */
export class DataError extends SeedgradError {}
/** A run that isn't what it should be to the bit, or can't promise to be. */
export class ReproError extends SeedgradError {}
/** A checkpoint or run folder that is damaged, foreign, or in use. */
export class CheckpointError extends SeedgradError {}
/** A loss that is NaN or infinite, or another stop of training for the numbers' sake. */
export class TrainingError extends SeedgradError {}

/** A fit that was asked to stop before its end, and did so after a whole step; it can be resumed. */
export class InterruptedError extends SeedgradError {
  /** Optimizer steps taken. */
  readonly step: number;
  /** The checkpoint of that step; undefined where none is saved. */
  readonly checkpoint?: string;
  constructor(details: ErrorDetails & { step: number; checkpoint?: string }) {
    super(details);
    this.step = details.step;
    this.checkpoint = details.checkpoint;
  }
}

/** Where in a config text something is: 1-based line and column. */
export interface ConfigPosition {
  file: string;
  line: number;
  column: number;
}

/** A config or argument that is wrong; `where` is the path in it (`trainer.init.seed`), with file:line:column when it came from a file. */
export class ConfigError extends SeedgradError {
  readonly position?: ConfigPosition;
  constructor(details: ErrorDetails & { position?: ConfigPosition }) {
    const { position } = details;
    super(
      position
        ? { ...details, where: `${position.file}:${position.line}:${position.column}: ${details.where}` }
        : details,
    );
    this.position = position;
  }
}

interface Shaped {
  readonly shape: readonly number[];
}

/** Throws an error of a class, its parts in the order of its message; `got` may be what has the shapes to show. What is too long for a line, or has a cause, is written out: new ShapeError({ … }). */
export function refuse(
  Failure: new (details: ErrorDetails) => SeedgradError,
  where: string,
  problem: string,
  got: string | number | undefined | Shaped | readonly Shaped[],
  expected?: string,
  hint?: string,
): never {
  const shapes = typeof got === "object" && [got].flat().map(({ shape }) => `[${shape.join(", ")}]`);
  const shown = shapes ? shapes.join(" and ") : got === undefined ? undefined : String(got);
  throw new Failure({ where, problem, got: shown, expected, hint });
}

/** The classes by name: what an error is told by wherever it goes, since a bundle that was minified has other names for them. */
export const errorClasses: Readonly<Record<string, new (...args: never[]) => SeedgradError>> = {
  SeedgradError,
  ShapeError,
  DTypeError,
  GradError,
  TraceError,
  BackendError,
  StreamError,
  DataError,
  ReproError,
  CheckpointError,
  TrainingError,
  InterruptedError,
  ConfigError,
};

/** A class's own name; of one that isn't among these, what JavaScript says. */
function nameOf(made: { readonly name: string }): string {
  for (const [name, known] of Object.entries(errorClasses)) if (known === made) return name;
  return made.name;
}

/** Asks whether the nearest of `known` to `word` by edit distance was meant, when it is near enough to be a slip. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? undefined : `did you mean ${best}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
