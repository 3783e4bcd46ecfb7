// What comparisons of whole models with PyTorch share: the golden file's form, the formula of weights and inputs, and the comparison.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Shape, type Tensor, tensor } from "../../src/index.ts";
import { root } from "./sources.ts";

/** What a script beside the golden file wrote: the first logits and gradients, five losses, and the parameters after them. */
export interface Golden {
  readonly losses: number[];
  readonly logits: number[];
  readonly gradients: Record<string, number[]>;
  readonly parameters: Record<string, number[]>;
}

/** A golden file of test/golden. */
export function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(`${root}test/golden/${name}`, "utf8"));
}

/** The formula that the scripts compute too. */
export function wave(shape: Shape, scale = 1, shift = 0): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = Float32Array.from({ length: count }, (_, i) => {
    const value = (i + shift) * 0.6180339887498949;
    return (value - Math.floor(value) - 0.5) * scale;
  });
  return tensor(data, { shape });
}

/** Every `step`th of our elements against theirs: |ours − theirs| ≤ absolute + relative·|theirs|. */
export async function compare(
  what: string,
  ours: Tensor,
  theirs: readonly number[],
  step: number,
  absolute: number,
  relative: number,
) {
  const sampled = Array.from(await ours.data()).filter((_, i) => i % step === 0);
  expect(sampled.length, what).toBe(theirs.length);
  const over = sampled.map((value, i) => Math.abs(value - theirs[i]) - absolute - relative * Math.abs(theirs[i]));
  const at = over.indexOf(Math.max(...over));
  expect(over[at], `${what}: element ${at * step}: ours ${sampled[at]}, PyTorch's ${theirs[at]}`).toBeLessThanOrEqual(
    0,
  );
}
