// Convolutions, pooling and resampling against PyTorch's, from images.json (made by make_images.py), values and gradients: where all sums are of integers exactly,
// elsewhere (means, points between points) |ours − theirs| ≤ 10⁻⁶ + 10⁻⁵·|theirs|.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients, manualSeed, nn, ops, type Shape, type Tensor, tensor } from "../../src/index.ts";

interface Case {
  readonly name: string;
  readonly shapes: Shape[];
  readonly arguments: unknown[];
  readonly options: Record<string, unknown>;
  readonly shape: Shape;
  readonly value: number[];
  readonly gradients: number[][];
}

const golden: { functions: Case[]; layers: Case[] } = JSON.parse(
  readFileSync(new URL("images.json", import.meta.url), "utf8"),
);
manualSeed(1n);
const isExact = (name: string) => !/^(avg|adaptiveAvg|globalAvg|interpolate|upsample|affineGrid)/.test(name);

/** The formula that make_images.py computes too. */
function scattered(shape: Shape, below: number, least: number): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = Float32Array.from({ length: count }, (_, i) => (((i * 7919) % 104729) % below) + least);
  return tensor(data, { shape });
}

async function compare(name: string, x: Tensor, theirs: readonly number[]): Promise<void> {
  const ours = Array.from(await x.data());
  if (isExact(name)) return expect(ours.map((value) => value + 0)).toEqual(theirs);
  expect(ours.length).toBe(theirs.length);
  ours.forEach((value, i) => {
    const bound = 1e-6 + 1e-5 * Math.abs(theirs[i]);
    expect(Math.abs(value - theirs[i]), `${i}: ${value}, ${theirs[i]}`).toBeLessThanOrEqual(bound);
  });
}

async function check({ name, shape, value, gradients: theirs }: Case, y: Tensor, inputs: Tensor[]): Promise<void> {
  expect(y.shape).toEqual(shape);
  const found = gradients(y.mul(scattered(y.shape, 13, 1)).sum(), inputs);
  await compare(name, y, value);
  for (const [i, gradient] of found.entries()) await compare(name, gradient, theirs[i]);
}

const named = ({ options }: Case) => (Object.keys(options).length > 0 ? [options] : []);
const title = (each: Case) => `${each.name} ${JSON.stringify([...each.arguments, each.options])} of ${each.shapes[0]}`;

describe("functions", () => {
  test.each(golden.functions.map((each) => [title(each), each] as const))("%s", async (_, each) => {
    const inputs = each.shapes.map((shape, i) => scattered(shape, 7 + 2 * i, -3));
    const apply = ops[each.name as "conv2d"] as (...given: unknown[]) => Tensor;
    await check(each, apply(...inputs, ...each.arguments, ...named(each)), inputs);
  });
});

describe("layers", () => {
  test.each(golden.layers.map((each) => [title(each), each] as const))("%s", async (_, each) => {
    const make = nn[each.name as "conv2d"] as unknown as (...given: unknown[]) => nn.Convolution;
    const layer = make(...each.arguments, ...named(each));
    const parameters = layer.parameters();
    for (const [i, parameter] of parameters.entries()) parameter.assign(scattered(parameter.shape, 9 + 2 * i, -3));
    const x = scattered(each.shapes[0], 7, -3);
    await check(each, layer.forward(x), [x]);
  });
});
