// Losses against losses.json (made by make_losses.py), by their names in a config: values and gradients of PyTorch in every reduction, with weights, ignored targets and
// margins: |ours − theirs| ≤ 10⁻⁶ + 10⁻⁵·|theirs|; those of the cases below ten times that, whose float32 sums cancel.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { parseConfig, Tensor, tensor } from "../../src/index.ts";
import { losses } from "../../src/train/config/families.ts";
import { wave } from "../support/torch.ts";

const golden: { losses: Record<string, { value: number[]; gradient?: number[] }> } = JSON.parse(
  readFileSync(new URL("losses.json", import.meta.url), "utf8"),
);

const [N, C, W] = [12, 5, 4];

const integers = (value: (i: number) => number) => tensor(Int32Array.from({ length: N }, (_, i) => value(i)));
const labelOf = (i: number) => (i * i + Math.floor(i / 3)) % C;
const labels = integers(labelOf);
const some = integers((i) => (i % 4 === 1 ? -100 : labelOf(i)));
const bits = integers((i) => (i * i) % 3);
const counts = integers((i) => (i * 7) % 5);
const grid = sg.greater(wave([N, C], 1, 29), 0.1);
const [logits, scores, other] = [wave([N, C], 8, 3), wave([N], 6, 11), wave([N], 3, 5)];
const probabilities = sg.softmax(wave([N, C], 4, 17));
const sampleWeights = wave([N], 1, 7).add(0.75);
const classes = "class_weights: [0.5, 1, 2, 0, 1.5]";
const [pairs, triples] = [wave([N, 2, W], 2, 13), wave([N, 3, W], 2, 19)];
const rates = other.abs().add(0.1);
const sequences = wave([4, 9, C], 6, 23);
const spelled = sg.reshape(tensor(Int32Array.from({ length: 16 }, (_, i) => 1 + ((i * i + Math.floor(i / 3)) % (C - 1)))), [4, 4]);
const ints = (values: number[]) => tensor(values, "int32");
const lengths = { inputLengths: ints([9, 7, 8, 3]), targetLengths: ints([4, 3, 0, 1]) };
const spread = sg.stack([scores, rates], -1);

/** The loss's options in a config, outputs, targets, and what else is in the batch. */
const cases: Record<string, [string, Tensor, Tensor?, Record<string, Tensor>?]> = {
  cross_entropy: ["", logits, labels],
  "cross_entropy classWeights": [classes, logits, labels],
  "cross_entropy ignoreIndex": ["ignore_index: -100", logits, some],
  "cross_entropy all": [`ignore_index: -100, label_smoothing: 0.1, ${classes}`, logits, some],
  "cross_entropy probabilities": [`label_smoothing: 0.2, ${classes}`, logits, probabilities],
  "cross_entropy sampleWeights": ["", logits, labels, { sampleWeights }],
  nll: [`ignore_index: -100, ${classes}`, logits, some],
  multi_margin: [`margin: 1.5, ${classes}`, logits, labels],
  "multi_margin power": ["power: 2", logits, labels],
  focal: ["alpha: 0.25", scores, bits],
  "focal gamma": ["gamma: 0.5", scores, bits],
  "focal classes": ["gamma: 1.5", logits, labels],
  kl_divergence: ["", logits, probabilities],
  binary_cross_entropy: ["positive_weight: [1, 1.5, 2.5, 0.5, 2]", logits, grid],
  "binary_cross_entropy sampleWeights": ["", logits, grid, { sampleWeights }],
  hinge: ["margin: 1.25", scores, bits],
  mse: ["", scores, other],
  "mse sampleWeights": ["", scores, other, { sampleWeights }],
  l1: ["", scores, other],
  smooth_l1: ["beta: 0.7", scores, other],
  huber: ["delta: 1.3", scores, other],
  gaussian_nll: ["", spread, other],
  "gaussian_nll full": ["full: true", spread, other],
  poisson_nll: ["", scores, counts],
  "poisson_nll full": ["full: true, log_input: false", rates, counts],
  cosine_embedding: ["margin: 0.1", pairs, bits],
  triplet_margin: ["", triples],
  "triplet_margin swap": ["swap: true, margin: 0.3", triples],
  ctc: ["", sequences, spelled],
  "ctc lengths": ["", sequences, spelled, lengths],
  "ctc blank": [`blank: ${C - 1}`, sequences, spelled.sub(1), lengths],
  "ctc zeroInfinity": ["zero_infinity: true", sequences, spelled, { inputLengths: ints([9, 3, 4, 5]) }],
  info_nce: ["", pairs],
  "info_nce symmetric": ["symmetric: true, temperature: 0.5", pairs],
};
const cancelling = new Set(["info_nce", "multi_margin power", "cosine_embedding"]);

const lossOf = (name: string, options: string) => {
  const text = `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, loss: {${name}: {${options}}}, loop: {num_steps: 1}}}`;
  return losses.make(parseConfig(text, "m.yaml").trainer.init.loss!);
};

describe("losses", () => {
  test("every golden has its case, every loss of the catalog one", () => {
    const all = Object.keys(cases).flatMap((name) => ["mean", "sum", "none"].map((reduction) => `${name} ${reduction}`));
    expect(all).toEqual(Object.keys(golden.losses));
    expect([...new Set(Object.keys(cases).map((name) => name.split(" ")[0]))].sort()).toEqual([...losses.names].sort());
  });

  test.each(Object.keys(golden.losses))("%s", async (name) => {
    const reduction = name.split(" ").at(-1)!;
    const own = name.slice(0, -reduction.length - 1);
    const [options, outputs, targets, more] = cases[own];
    const loss = lossOf(own.split(" ")[0], `${options}${options && ", "}reduction: ${reduction}`);
    const batch = { ...(targets && { targets }), ...more };
    const value = loss(outputs, batch);
    const { value: theirs, gradient } = golden.losses[name];
    const scale = cancelling.has(own) ? 10 : 1;
    const close = (ours: ArrayLike<number>, expected: readonly number[]) => {
      expect(ours.length).toBe(expected.length);
      expected.forEach((element, i) => {
        const bound = scale * (1e-6 + 1e-5 * Math.abs(element));
        expect(Math.abs(ours[i] - element), `element ${i}: ours ${ours[i]}, theirs ${element}`).toBeLessThanOrEqual(bound);
      });
    };
    close(await value.data(), theirs);
    const rows = sg.arange(1, value.size + 1, { dtype: "float32" }).reshape(value.shape);
    if (gradient) close(await sg.gradients(value.mul(rows).sum(), [outputs])[0].data(), gradient);
  });
});
