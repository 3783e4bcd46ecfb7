// Steps as people say them: a number of steps, of epochs (`2ep`), or a share of the whole run (`0.1dur`). The last two are steps once a run's length is known.
import { kind } from "../core/arguments.ts";
import { Option, steps, Type } from "../core/options.ts";

/** Optimizer steps: 500, `2ep` or `0.1dur`. */
export type Duration = number | `${number}ep` | `${number}dur`;

/** How long a run is, in optimizer steps. */
export interface RunLength {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

export const pattern = /^(?=.*[1-9])\d+(\.\d+)?(ep|dur)$/;

/** Whether a value is a duration that only a run's length makes steps of. */
export const isRelative = (value: unknown): value is `${number}ep` | `${number}dur` =>
  typeof value === "string" && pattern.test(value);

/** The steps of a duration: the nearest whole number, and at least one. */
export function stepsOf(duration: Duration, { stepsPerEpoch, totalSteps }: RunLength): number {
  if (typeof duration === "number") return duration;
  const unit = duration.endsWith("ep") ? stepsPerEpoch : totalSteps;
  return Math.max(1, Math.floor(Number(duration.replace(/[a-z]+$/, "")) * unit + 0.5));
}

const expected = "steps: an integer ≥ 1, epochs as in 2ep, or a share of the run as in 0.1dur";

/** A type in which durations stand, and of which a reader sees steps: what has it is made anew when a run's length is known. */
export class Resolved<Given, Read> extends Type<Given> {
  declare readonly reads: Read;

  override default(value: Read & Given): Option<Given | undefined, Read & Given> {
    return new Option(this, value);
  }

  override optional(): Option<Given | undefined, (Read & Given) | undefined> {
    return new Option<Given | undefined, (Read & Given) | undefined>(this, undefined);
  }
}

const accepts = (value: unknown): boolean => steps.accepts(value) || isRelative(value);
const relative = new Type<string>("epochs as in 2ep, or a share of the run as in 0.1dur", kind("a text", isRelative), {
  kind: "text",
  empty: false,
  pattern,
});

const parts = [
  expected,
  kind("a number of steps, or text", (value) => typeof value === "number" || typeof value === "string"),
  { kind: "either", types: [steps, relative] },
  (value: unknown) => (accepts(value) ? undefined : { problem: "not a number of steps", value, expected }),
] as const;

/** A number of steps, `2ep` or `0.1dur`: `stepsOf` makes steps of it. */
export const duration: Type<Duration> = new Type(...parts);

/** A duration that is read as steps. */
export const resolvedDuration: Resolved<Duration, number> = new Resolved(...parts);

/** A value with every duration in it as steps, in records and lists, and in what can be resolved itself. */
export function resolved<T>(value: T, length: RunLength): T {
  if (isRelative(value)) return stepsOf(value, length) as T;
  if (Array.isArray(value)) return value.map((item) => resolved(item, length)) as T;
  if (typeof value === "function") return ((value as Resolvable).resolve?.(length) ?? value) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, length)])) as T;
}

interface Resolvable {
  readonly resolve?: (length: RunLength) => unknown;
}

/** The first duration in a value that only a run's length makes steps of. */
export function firstRelative(value: unknown): string | undefined {
  if (isRelative(value)) return value;
  if (typeof value === "function") return (value as { relative?: string }).relative;
  if (typeof value !== "object" || value === null) return undefined;
  return Object.values(value)
    .map(firstRelative)
    .find((found) => found !== undefined);
}
