// What `random` of a sweep draws a value from. A draw takes two words of the sweep's stream, whatever the range, so that values of one key move no other key's.
import { isRecord } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { exp, log } from "../core/real.ts";
import { fillWords } from "../rng/draws.ts";
import { randint } from "../rng/samplers.ts";
import type { Stream } from "../rng/stream.ts";
import { show, unknownKey } from "../train/config/validate.ts";
import { formatPath, type Path, type YamlSource } from "../train/config/yaml.ts";
import { valueSource } from "./values.ts";

/** Draws a value, with its place in the file, from two words of the stream. */
export type Draw = (stream: Stream) => YamlSource;

/** Significant digits of a drawn number: enough for a setting, and few enough to be typed again. */
const digits = 6;

/** Uniform on [0, 1), in steps of 2⁻⁵³. */
function unit(stream: Stream): number {
  const words = new Uint32Array(2);
  fillWords(stream.seed, stream.reserve(2), words);
  return ((words[0] >>> 5) * 2 ** 26 + (words[1] >>> 6)) / 2 ** 53;
}

/** An integer in [low, high). */
function integer(stream: Stream, low: number, high: number): number {
  const out = new Int32Array(1);
  randint(stream.seed, stream.reserve(2), low, high, out);
  return out[0];
}

const rounded = (value: number, [low, high]: readonly [number, number]): number =>
  Math.min(high, Math.max(low, Number(value.toPrecision(digits))));

const kinds = ["uniform", "log_uniform", "int", "choice"] as const;
const example = "one of uniform: [0, 0.5], log_uniform: [0.0001, 0.1], int: [1, 8], choice: [a, b]";

/** The draws of a key of `random`: what the file has at `path`. Throws ConfigError with file:line:column. */
export function rangeAt(source: YamlSource, path: Path): Draw {
  const { value, valuePosition, keyPosition } = valueSource(source, path);
  const where = formatPath(path);
  const [[name, bounds] = [], ...others] = isRecord(value) ? Object.entries(value) : [];
  if (name === undefined || others.length > 0) {
    throw new ConfigError({
      where,
      problem: "not a range to draw from",
      got: show(value),
      expected: example,
      position: valuePosition([]),
    });
  }
  const kind = kinds.find((known) => known === name);
  if (kind === undefined) {
    const author = { path: formatPath, key: (key: string) => key, keyPosition: () => keyPosition([name]) };
    throw unknownKey([...path, name], name, kinds, author);
  }
  const fail = (expected: string): never => {
    throw new ConfigError({
      where: `${where}.${kind}`,
      problem: "not a range to draw from",
      got: Array.isArray(bounds) ? `[${bounds.map(show).join(", ")}]` : show(bounds),
      expected,
      position: valuePosition([name]),
    });
  };
  if (kind === "choice") {
    if (!Array.isArray(bounds) || bounds.length === 0) return fail("a list of at least one value");
    return (stream) => valueSource(source, [...path, name, integer(stream, 0, bounds.length)]);
  }
  const [low, high] = Array.isArray(bounds) && bounds.length === 2 ? (bounds as unknown[]) : [];
  if (!isNumber(low) || !isNumber(high) || low > high) return fail("two numbers, the smaller one first");
  const place = valuePosition([name]);
  const drawn = (value: number): YamlSource => ({
    value,
    keyPosition: () => place,
    valuePosition: () => place,
    plainText: () => undefined,
  });
  if (kind === "int") {
    if (![low, high].every((bound) => Number.isInteger(bound) && bound >= -(2 ** 31) && bound < 2 ** 31))
      return fail("two integers in [-2^31, 2^31), the smaller one first");
    return (stream) => drawn(integer(stream, low, high + 1));
  }
  if (kind === "uniform") return (stream) => drawn(rounded(low + unit(stream) * (high - low), [low, high]));
  if (low < smallestNormal) return fail("two numbers above 0, the smaller one first");
  const [from, to] = [log(low), log(high)];
  return (stream) => drawn(rounded(exp(from + unit(stream) * (to - from)), [low, high]));
}

/** Logarithms are of normal numbers. */
const smallestNormal = 2 ** -1022;

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
