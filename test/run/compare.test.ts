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
    ["inputs", { graphHash: "cd".repeat(32) }, "link ", "link "],
    ["inputs", { batch: { indices: [99], tensors: {} } }, "link ", "link "],
    ["position", { position: 31, loss: 9 }, "stream position 30", "stream position 31"],
  ])("the kind of difference: %s %j", (kind, change, first, second) => {
    const difference = compareChains(chainOf(9), chainOf(9, 4, change));
    expect(difference).toMatchObject({ step: 4, kind });
    expect(difference!.first).toContain(first);
    expect(difference!.second).toContain(second);
  });

  test("another seed: the first step, by what went in", () => {
    expect(compareChains(chainOf(5), chainOf(5, 0, {}, 2n))).toMatchObject({ step: 1, kind: "inputs" });
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
