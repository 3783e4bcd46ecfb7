// Random ops: each takes its range of draws when its node is made, a number that depends on the shape alone. The words are integers from
// the stream; the samplers over them are elementwise ops, so they fuse like any other.
import type { RandomKernel } from "../../kernels/sampler.ts";
import type { DType } from "../core/dtype.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { type Kind, number, shape, takes } from "./arguments.ts";
import { defineOp, defineUnary, giving, makeNode, sameOnBatch } from "./define.ts";
import { add, mul } from "./elementwise.ts";
import type { Batch, ElementwiseRecord } from "./record.ts";

defineOp({
  name: "randomWords",
  kind: "words",
  version: 1,
  batch: sameOnBatch,
  vjp: "none",
  dtype: () => "uint32",
});
/** Declares a random op of integers that take several words each. */
function defineSampler(name: RandomKernel["sampler"], batch: Batch, draws: (size: number) => number): void {
  defineOp({
    name,
    kind: "special",
    of: "random",
    version: 1,
    kernel: ({ attributes, draws }, _, offset) => {
      const { low, high } = attributes as { low?: number; high?: number };
      return { sampler: name, offset, draws: draws!.count, low, high };
    },
    batch,
    vjp: "none",
    dtype: () => "int32",
    draws,
  });
}

defineSampler("randint", sameOnBatch, (size) => 2 * size);
defineSampler("permutation", "each", (size) => 2 * Math.max(0, size - 1));

/** Words that samplers are tried at. */
export const wordSamples = { range: [0, 2 ** 32 - 1], edges: [0, 1, 2 ** 31, 2 ** 31 - 1, 2 ** 32 - 1] } as const;
/** Raw words of the stream, one draw each. */
export const words = (shape: Shape, where: string): Node => makeNode("randomWords", [], checkShape(where, shape));

/** Declares what is made of a word, and returns the function that makes it. */
export const ofWord = (name: string, result: DType, value: ElementwiseRecord["value"]) =>
  defineUnary(name, giving(result, "uint32"), value, { vjp: "none", samples: wordSamples });

ofWord("uniformFromWords", "float32", ([word], { random }, { low, high }) =>
  low === undefined ? random.uniform(word) : random.uniformBetween(word, low as number, high as number),
);
const normalFromWords = ofWord("normalFromWords", "float32", ([word], { random }) => random.normal(word));
ofWord("belowThreshold", "bool", ([word], { random }, { threshold }) => random.below(word, threshold as number));

/**
 * Uniform on [low, high), both rounded to float32: low + u·(high − low), u = (word >>> 8)·2⁻²⁴, and where rounding would take that to high, the float
 * below it. One draw a value. Throws ShapeError unless low < high, and high − low is a float32.
 * @torch torch.rand
 */
export function uniform(shape: Shape, low = 0, high = 1): Node {
  const [from, to] = [Math.fround(low), Math.fround(high)];
  if (!(typeof low === "number" && typeof high === "number" && from < to && Math.fround(to - from) < Infinity)) {
    const expected = "finite numbers, low < high, and high − low at most 3.4e38, all as float32";
    const hint = from === to ? "for one number everywhere use full" : undefined;
    refuse(ShapeError, "uniform", "not a range of float32", `[${low}, ${high})`, expected, hint);
  }
  const unit = words(shape, "uniform");
  return makeNode("uniformFromWords", [unit], unit.shape, from === 0 && to === 1 ? {} : { low: from, high: to });
}

/** Normal by the inverse CDF, reaching ±6.3 σ: mean + z·deviation. One draw a value. Throws ShapeError unless both are finite and deviation ≥ 0. @torch torch.normal */
export function normal(shape: Shape, mean = 0, deviation = 1): Node {
  const holds = (value: number) => typeof value === "number" && Number.isFinite(Math.fround(value));
  if (!holds(mean) || !holds(deviation) || deviation < 0) {
    const got = `${mean} and ${deviation}`;
    refuse(ShapeError, "normal", "not a mean and a deviation", got, "finite numbers that float32 holds, deviation ≥ 0");
  }
  const standard = normalFromWords(words(shape, "normal"));
  return mean === 0 && deviation === 1 ? standard : add(mul(standard, deviation), mean);
}

/** True with probability p: word < round(p·2³²), p as float64. One draw a value. → bool @torch torch.bernoulli */
export function bernoulli(shape: Shape, p: number): Node {
  checkProbability("bernoulli", p);
  return makeNode("belowThreshold", [words(shape, "bernoulli")], shape, { threshold: Math.round(p * 2 ** 32) });
}

/** Throws ShapeError unless p is in [0, 1]. */
export function checkProbability(where: string, p: number): void {
  if (!(typeof p === "number" && p >= 0 && p <= 1))
    refuse(ShapeError, where, "not a probability", String(p), "a number in [0, 1]");
}

/** Integers uniform on [low, high), int32; bias ≤ (high − low)/2⁶⁴. Two draws a value. @torch torch.randint */
export function randint(shape: Shape, low: number, high: number): Node {
  const fits = (value: number) => Number.isInteger(value) && value >= -(2 ** 31) && value <= 2 ** 31;
  if (!fits(low) || !fits(high) || high <= low || low === 2 ** 31)
    refuse(ShapeError, "randint", "not a range of int32", `[${low}, ${high})`, "integers, low < high");
  return makeNode("randint", [], checkShape("randint", shape), { low, high });
}

/** 0 … count − 1 in random order (Fisher–Yates from the end), int32: [count]. 2·(count − 1) draws. @torch torch.randperm */
export function permutation(count: number): Node {
  return makeNode("permutation", [], checkShape("permutation", [count]), {});
}

/** A number, where other libraries take a tensor too. */
const oneNumber = (ofTensors: string): Kind => ({
  ...number,
  explain: (_, value) => (value instanceof Node ? `of a tensor of them it is ${ofTensors}` : undefined),
});
const bound = oneNumber("uniform(shape).mul(high.sub(low)).add(low)");
const moment = oneNumber("normal(shape).mul(deviation).add(mean)");
takes({ uniform }, { shape, "low?": bound, "high?": bound });
takes({ normal }, { shape, "mean?": moment, "deviation?": moment });
takes({ bernoulli }, { shape, p: oneNumber("uniform(shape).less(p)") });
takes({ randint }, { shape, low: number, high: number });
takes({ permutation }, { count: number });
