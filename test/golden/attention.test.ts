// Attention against attention.json (PyTorch, made by make_attention.py): outputs and gradients of operands and weights.
// |ours − theirs| ≤ 10⁻⁶ + 2·10⁻⁵·(the largest of the tensor).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { type Shape, type Tensor } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

const { nn } = sg;

interface Golden {
  readonly output: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly parameters: readonly (readonly number[])[];
}
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL("attention.json", import.meta.url), "utf8"),
).cases;

interface Case {
  readonly inputs: readonly Tensor[];
  readonly forward: (...inputs: Tensor[]) => Tensor;
  /** In PyTorch's order, of which it packs queries, keys and values. */
  readonly parameters?: readonly (readonly sg.Parameter[])[];
}

type Options = Parameters<typeof sg.scaledDotProductAttention>[3];
const [heads, keys] = [
  [2, 3, 4, 6],
  [2, 3, 5, 6],
];
const plain = (q: Shape, k: Shape, v: Shape, options?: Options): Case => ({
  inputs: [wave(q, 3, 1), wave(k, 3, 2), wave(v, 2, 3)],
  forward: (...[a, b, c]) => sg.scaledDotProductAttention(a, b, c, options),
});
const rows = sg.tensor([
  [true],
  [true],
  [false],
  [true],
]);
const x = wave([2, 4, 8], 2, 12);
const memory = wave([2, 5, 8], 2, 13);
const keyMask = sg.greaterEqual(wave([2, 5], 1, 14), -0.2);

/** The parameters of layers as PyTorch lists them. */
function listed(module: sg.nn.Module): sg.Parameter[][] {
  const own = (layer: { weight: sg.Parameter; bias?: sg.Parameter }) => [[layer.weight], [layer.bias!]];
  if (module instanceof nn.MultiHeadAttention) {
    const { query, key, value, out } = module;
    const three = [query, key, value];
    return [three.map(({ weight }) => weight), three.map(({ bias }) => bias!), ...own(out)];
  }
  if (module instanceof nn.Linear || module instanceof nn.LayerNorm) return own(module);
  return module.namedChildren().flatMap(([, child]) => listed(child));
}

/** A layer with the weights that the script gives. */
function given<M extends sg.nn.Module>(make: () => M): M {
  sg.manualSeed(1);
  const layer = make();
  const norms = new Set(Object.values(layer).flatMap((each) => (each instanceof nn.LayerNorm ? [each.weight] : [])));
  listed(layer).forEach((packed, i) => {
    const [first] = packed;
    const whole = wave([packed.length * first.shape[0], ...first.shape.slice(1)], 0.6, 31 + 7 * i);
    packed.forEach((parameter, part) => {
      const [extent] = parameter.shape;
      const own = whole.slice([[part * extent, (part + 1) * extent]]);
      parameter.assign(norms.has(parameter) ? own.add(1) : own);
    });
  });
  return layer;
}

const layerCase = (
  make: () => sg.nn.Module<Tensor>,
  inputs: readonly Tensor[],
  batch: (memory: Tensor) => sg.nn.Batch = () => ({}),
): Case => {
  const layer = given(make);
  return { inputs, forward: (a, m) => layer.forward(a, batch(m)), parameters: listed(layer) };
};
const sizes = { hidden: 12 };
const encoderMask = () => ({ keyMask: keyMask.slice([null, [0, 4]]) });
const decoderBatch = (m: Tensor) => ({ memory: m, memoryKeyMask: keyMask });

const cases: Record<string, Case> = {
  plain: plain(heads, keys, [2, 3, 5, 2]),
  scale: plain(heads, keys, [2, 3, 5, 2], { scale: 0.3 }),
  causal: plain(heads, heads, heads, { causal: true }),
  "boolean mask, a row of it false": plain(heads, keys, keys, {
    mask: sg.logicalAnd(sg.greater(wave([4, 5], 1, 6), -0.2), rows),
  }),
  "additive mask of batches": plain(heads, keys, keys, { mask: wave([2, 1, 1, 5], 4, 8) }),
  "fewer heads of keys": plain([2, 4, 3, 6], [2, 2, 5, 6], [2, 2, 5, 6]),
  layer: layerCase(() => nn.multiHeadAttention(8, 2), [x]),
  "layer, memory, key mask": layerCase(() => nn.multiHeadAttention(8, 2), [x, memory], (m) => ({ memory: m, keyMask })),
  "encoder layer": layerCase(() => nn.transformerEncoderLayer(8, 2, sizes), [x], encoderMask),
  "encoder layer, norms first": layerCase(
    () => nn.transformerEncoderLayer(8, 2, { ...sizes, normFirst: true, activation: "gelu" }),
    [x],
    encoderMask,
  ),
  "decoder layer": layerCase(() => nn.transformerDecoderLayer(8, 2, sizes), [x, memory], decoderBatch),
  "decoder layer, norms first": layerCase(
    () => nn.transformerDecoderLayer(8, 2, { ...sizes, normFirst: true }),
    [x, memory],
    decoderBatch,
  ),
  sinusoidal: { inputs: [wave([2, 7, 8], 2, 15)], forward: (a) => nn.sinusoidalPositions(9, 8).forward(a) },
  rotary: { inputs: [wave([2, 3, 7, 8], 2, 16)], forward: (a) => nn.rotaryPositions(9, 8).forward(a) },
};

async function close(what: string, ours: readonly Tensor[], theirs: readonly number[]): Promise<void> {
  const bound = 1e-6 + 2e-5 * Math.max(...theirs.map(Math.abs));
  const data = (await Promise.all(ours.map((each) => each.data()))).flatMap((each) => [...each]);
  expect(data.length, what).toBe(theirs.length);
  data.forEach((value, i) => {
    expect(Math.abs(value - theirs[i]), `${what} ${i}: ours ${value}, theirs ${theirs[i]}`).toBeLessThanOrEqual(bound);
  });
}

describe("attention", () => {
  test("every golden has its case", () => expect(Object.keys(cases).sort()).toEqual(Object.keys(golden).sort()));

  test.each(Object.keys(cases))("%s", async (name) => {
    const { inputs, forward, parameters = [] } = cases[name];
    const theirs = golden[name];
    const y = forward(...inputs);
    const found = sg.gradients(y.mul(wave(y.shape, 1, 101)).sum(), [...inputs, ...parameters.flat()]);
    await close("output", [y], theirs.output);
    for (const [i, each] of theirs.gradients.entries()) await close(`gradient ${i}`, [found[i]], each);
    let at = inputs.length;
    for (const [i, each] of theirs.parameters.entries()) {
      const count = parameters[i].length;
      await close(`gradient of parameter ${i}`, found.slice(at, at + count), each);
      at += count;
    }
    expect(at).toBe(found.length);
  });
});
