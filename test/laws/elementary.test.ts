// Laws 1 and 7: no other source of randomness than the stream, no clock in what computes, no host transcendental on anything.
import { describe, expect, test } from "vitest";
import { sources, withoutComments } from "../support/sources.ts";

const all = sources("src", "kernels").map((source) => ({ ...source, code: withoutComments(source.text) }));
const offenders = (pattern: RegExp, allowed: RegExp) =>
  all
    .filter(({ path, code }) => !allowed.test(path) && pattern.test(code))
    .map(({ path, code }) => `${path}: ${code.match(pattern)![0]}`);

describe("law 7: only the engine's own elementary functions", () => {
  test("no Math function but the exact ones", () => {
    const inexact =
      /\bMath\.(?:exp|expm1|log|log1p|log2|log10|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|pow|cbrt|hypot)\b/;
    expect(offenders(inexact, /^$/)).toEqual([]);
  });

  test("no ** but of constant integers", () => {
    const powers = /[\w)\]]\s*\*\*\s*[\w(]/g;
    const wrong = all
      .flatMap(({ path, code }) =>
        [...code.matchAll(powers)].map((match) => `${path}: ${code.slice(match.index - 10, match.index + 12).trim()}`),
      )
      .filter((hit) => !/\b2n? \*\* -?\(?\d+n?/.test(hit));
    expect(wrong).toEqual([]);
  });
});

describe("law 1: one stream", () => {
  test("no Math.random anywhere", () => {
    expect(offenders(/\bMath\.random\b/, /^$/)).toEqual([]);
  });

  test("entropy of the host only where a seed is drawn or a temporary file is named", () => {
    expect(
      offenders(/\b(?:getRandomValues|randomUUID|randomBytes)\b/, /^src\/(?:rng\/stream|io\/files\.node)\.ts$/),
    ).toEqual([]);
  });

  test("no clock but for what only informs", () => {
    expect(
      offenders(
        /\bDate\b|\bperformance\.now\b|\bhrtime\b/,
        // How wide vectors are is decided by a timing, and bits don't depend on it; a Parquet file's dates are Dates; a queue's jobs wait until a time.
        /^src\/(?:runtime\/clock|run\/.*|io\/(?:files\.(?:node|web)|events)|cli\/.*|backend\/wasm\/width|data\/parquet|sweep\/queue)(?:\.ts)?$/,
      ),
    ).toEqual([]);
  });
});
