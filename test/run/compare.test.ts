// Two chains compared: bisection finds what a walk link by link finds, and says what differs there.
import { describe, expect, test } from "vitest";
import { ReproError } from "../../src/core/errors.ts";
import { Chain, type ChainLink, type ChainStep } from "../../src/run/chain.ts";
import { compareChains, compareLinks, differenceError } from "../../src/run/compare.ts";

const graph = "ab".repeat(32);

/** A chain of `steps`, changed at one step. */
function chainOf(steps: number, at = 0, change: Partial<ChainStep> = {}, seed = 1n): ChainLink[] {
  const chain = new Chain({ graphHash: graph, seed, data: {} });
  return Array.from({ length: steps }, (_, i) =>
    chain.link({
      graphHash: graph,
      position: 10 * i,
      batch: { indices: [i], tensors: {} },
      given: { "learningRate/0": 0.5, "weightDecay/0": 0.25, lossScale: 8 },
      loss: 1 / (i + 1),
      ...(i + 1 === at ? change : {}),
    }),
  );
}

describe("compareChains", () => {
  test("every length, every first difference: what a walk from the start finds", () => {
    for (let length = 0; length <= 17; length++) {
      const chain = chainOf(length);
      expect(compareChains(chain, chainOf(length))).toBeUndefined();
      for (let at = 1; at <= length; at++) {
        const changed = chainOf(length, at, { loss: 7 });
        const walked = chain.findIndex((link, i) => compareLinks(i + 1, link, changed[i]) !== undefined) + 1;
        expect(walked).toBe(at);
        expect(compareChains(chain, changed)).toMatchObject({ step: at, kind: "loss" });
      }
      for (const other of [0, 1, 5, 30]) {
        const shorter = Math.min(length, other);
        const expected = other === length ? undefined : { step: shorter + 1, kind: "length" };
        const found = compareChains(chain, chainOf(other));
        if (expected) expect(found).toMatchObject(expected);
        else expect(found).toBeUndefined();
      }
    }
  });

  test.each<[string, Partial<ChainStep>, string, string]>([
    ["position", { position: 31 }, "stream position 30", "stream position 31"],
    ["loss", { loss: 0.5 }, "loss 0.25 (3e800000)", "loss 0.5 (3f000000)"],
    ["loss", { loss: Number.NaN }, "loss 0.25 (3e800000)", "loss NaN (7fc00000)"],
    ["graph", { graphHash: "cd".repeat(32) }, "graph abababababababab", "graph cdcdcdcdcdcdcdcd"],
    ["batch", { batch: { indices: [99], tensors: {} } }, "batch ", "batch "],
    [
      "given",
      { given: { "learningRate/0": 0.125, "weightDecay/0": 0.25 } },
      "learningRate/0 0.5 (3f000000), lossScale 8 (41000000)",
      "learningRate/0 0.125 (3e000000), lossScale none",
    ],
    [
      "position",
      { position: 31, loss: 9 },
      "stream position 30, loss 0.25 (3e800000)",
      "stream position 31, loss 9 (41100000)",
    ],
  ])("the kind of difference: %s %j", (kind, change, first, second) => {
    const difference = compareChains(chainOf(9), chainOf(9, 4, change));
    expect(difference).toMatchObject({ step: 4, kind });
    expect(difference!.first).toContain(first);
    expect(difference!.second).toContain(second);
  });

  test("another seed: the first step, by what went in", () => {
    expect(compareChains(chainOf(5), chainOf(5, 0, {}, 2n))).toMatchObject({ step: 1, kind: "origin" });
  });

  test("of many numbers that differ the first are shown; of none that were written down, that they differ", () => {
    const given = (add: number) => Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`rate/${i}`, i + add]));
    const [a, b] = [chainOf(2, 2, { given: given(0) }), chainOf(2, 2, { given: given(1) })];
    expect(compareChains(a, b)!.first).toBe(
      "rate/0 0 (00000000), rate/1 1 (3f800000), rate/2 2 (40000000), rate/3 3 (40400000), 3 more",
    );
    const bare = (links: ChainLink[]) => links.map((link) => ({ ...link, numbers: {} }));
    expect(compareChains(bare(a), bare(b))).toMatchObject({
      step: 2,
      kind: "given",
      first: `given ${a[1].given}`,
      second: `given ${b[1].given}`,
    });
  });

  test("a number named as what all objects have is one that the other chain hasn't", () => {
    const [a, b] = [chainOf(1, 1, { given: { constructor: 1 } }), chainOf(1, 1, { given: { constructor: 1 } })];
    expect(compareLinks(1, a[0], { ...b[0], lossBits: 0, numbers: {} })).toMatchObject({ kind: "loss" });
    expect(compareLinks(1, a[0], { ...b[0], given: "0", numbers: {} })).toMatchObject({
      kind: "given",
      first: "constructor 1 (3f800000)",
      second: "constructor none",
    });
  });

  test("the error names step and both sides", () => {
    const error = differenceError(compareChains(chainOf(3), chainOf(3, 2, { loss: 0.75 }))!, { hint: "replay it" });
    expect(error).toBeInstanceOf(ReproError);
    expect(error.message).toBe(
      "step 2: two runs that were equal up to here have different losses: got loss 0.5 (3f000000), expected loss 0.75 (3f400000)\nHint: replay it",
    );
    const ended = differenceError(compareChains(chainOf(3), chainOf(4))!);
    expect(ended.message).toBe("step 4: one of two runs ends before the other: got no such step, expected step 4");
  });
});
