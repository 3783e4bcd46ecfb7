// Losses and metrics against measures.json (made by make_measures.py): losses and gradients of PyTorch, |ours − theirs| ≤ 10⁻⁷ + 10⁻⁵·|theirs|; metrics by
// their definitions, to 10⁻⁶ where float32 values add up, exactly where counts do.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig, Tensor, tensor } from "../../src/index.ts";
import * as sg from "../../src/index.ts";
import { withTerms } from "../../src/nn/metrics/metric.ts";
import { losses, metrics } from "../../src/train/config/families.ts";
import { wave } from "../support/torch.ts";

const golden: {
  losses: Record<string, { value: number; gradient: number[] }>;
  metrics: Record<string, number | Record<string, number>>;
} = JSON.parse(readFileSync(new URL("measures.json", import.meta.url), "utf8"));

const [N, C] = [90, 4];

const labels = tensor(Int32Array.from({ length: N }, (_, i) => (i * i + Math.floor(i / 3)) % C));
const bits = tensor(Int32Array.from({ length: N }, (_, i) => (i * i) % 3));
const logits = wave([N, C], 8, 3);
const logs = sg.logSoftmax(logits);
const scores = wave([N], 8, 11);
const other = wave([N], 3, 5);
const probabilities = sg.softmax(wave([N, C], 4, 17));
const relevance = sg.cast(sg.greater(wave([N, C], 1, 29), 0.2), "float32");

const chosen = (loss: string, metric = "accuracy") =>
  parseConfig(
    `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, loss: ${loss}, metrics: [${metric}], loop: {num_steps: 1}}}`,
    "m.yaml",
  ).trainer.init;

const lossCases: Record<string, [string, Tensor, Tensor]> = {
  "cross_entropy smoothed": ["{cross_entropy: {label_smoothing: 0.1}}", logits, labels],
  nll: ["nll", logs, labels],
  binary_cross_entropy: ["binary_cross_entropy", scores, bits],
  "binary_cross_entropy weighted": [
    "{binary_cross_entropy: {positive_weight: 2.5}}",
    scores.mul(20),
    other.div(3).add(0.5),
  ],
  l1: ["l1", scores, other],
  smooth_l1: ["{smooth_l1: {beta: 0.7}}", scores, other],
  huber: ["{huber: {delta: 1.3}}", scores, other],
  kl_divergence: ["kl_divergence", logs, sg.where(sg.greater(probabilities, 0.1), probabilities, 0)],
  "kl_divergence log": ["{kl_divergence: {log_target: true}}", logs, sg.log(probabilities)],
};

describe("losses", () => {
  test("every golden has its case", () => {
    expect(Object.keys(lossCases).sort()).toEqual(Object.keys(golden.losses).sort());
  });

  test.each(Object.keys(lossCases))("%s", async (name) => {
    const [text, outputs, targets] = lossCases[name];
    const loss = losses.make(chosen(text).loss!)(outputs, { targets });
    const { value, gradient } = golden.losses[name];
    const bound = (theirs: number) => 1e-7 + 1e-5 * Math.abs(theirs);
    expect(Math.abs((await loss.item()) - value)).toBeLessThanOrEqual(bound(value));
    const ours = await sg.gradients(loss, [outputs])[0].data();
    expect(ours.length).toBe(gradient.length);
    ours.forEach((element, i) => {
      const difference = Math.abs(element - gradient[i]);
      expect(difference, `element ${i}: ours ${element}, theirs ${gradient[i]}`).toBeLessThanOrEqual(bound(gradient[i]));
    });
  });

  test("at a logit of 0 the gradient is that of the function: ½ − t", async () => {
    const zero = tensor([0, 0]);
    const loss = sg.losses.binaryCrossEntropy(zero, tensor([0, 1]));
    expect(await sg.gradients(loss, [zero])[0].array()).toEqual([0.25, -0.25]);
  });
});

const metricCases: Record<string, [string, Tensor, Tensor, number?]> = {
  accuracy: ["accuracy", logits, labels],
  "accuracy binary": ["accuracy", scores, bits],
  top_2_accuracy: ["{top_k_accuracy: {k: 2}}", logits, labels],
  per_class_accuracy: ["per_class_accuracy", logits, labels],
  precision: ["precision", logits, labels],
  recall_weighted: ["{recall: {average: weighted}}", logits, labels],
  f2: ["{f_beta: {beta: 2}}", logits, labels],
  f1_micro: ["{f_beta: {average: micro}}", logits, labels],
  "f0.5_weighted": ["{f_beta: {beta: 0.5, average: weighted}}", logits, labels],
  dice: ["dice", logits, labels],
  dice_binary: ["{dice: {average: binary}}", scores, bits],
  mean_iou: ["mean_iou", logits, labels],
  precision_at_2: ["{precision_at_k: {k: 2}}", logits, relevance],
  "precision_at_3 label": ["{precision_at_k: {k: 3}}", logits, labels],
  recall_at_2: ["{recall_at_k: {k: 2}}", logits, relevance, 1e-6],
  auc: ["auc", scores, bits],
  mae: ["mae", scores, other, 1e-6],
  rmse: ["rmse", scores, other, 1e-6],
  mape: ["mape", scores, other, 1e-4],
  r2: ["r2", scores, other, 1e-5],
  "r2 of several": ["r2", logits, probabilities, 1e-3],
  confusion_matrix: ["confusion_matrix", logits, labels],
  perplexity: ["perplexity", logits, labels, 1e-5],
  bits_per_character: ["bits_per_character", logits, labels, 1e-6],
  mean_huber: ["{mean: {loss: huber}}", scores, other, 1e-6],
};

describe("metrics, over batches of 40, 40 and 10", () => {
  test("every golden has its case, and every metric of the catalog a golden", () => {
    expect(Object.keys(metricCases).sort()).toEqual(Object.keys(golden.metrics).sort());
    const tried = new Set(Object.values(metricCases).map(([text]) => text.match(/\w+/)![0]));
    expect([...tried].sort()).toEqual([...metrics.names].sort());
  });

  test.each(Object.keys(metricCases))("%s", async (name) => {
    const [text, outputs, targets, tolerance = 1e-12] = metricCases[name];
    const metric = metrics.make(chosen("mse", text).metrics[0]);
    expect(metric.name).toBe(name.split(" ")[0]);
    let totals: number[] = [];
    for (const [from, to] of [
      [0, 40],
      [40, 80],
      [80, 90],
    ] as const) {
      const terms = await metric.terms(outputs.slice([[from, to]]), { targets: targets.slice([[from, to]]) }).data();
      totals = withTerms(metric, totals, terms);
    }
    const [ours, theirs] = [metric.value(totals), golden.metrics[name]];
    const entries = (value: typeof ours) => (typeof value === "number" ? [["", value] as const] : Object.entries(value));
    expect(entries(ours).map(([key]) => key)).toEqual(entries(theirs).map(([key]) => key));
    entries(ours).forEach(([key, value], i) => {
      const expected = entries(theirs)[i][1];
      expect(Math.abs(value - expected), `${key}: ours ${value}, theirs ${expected}`).toBeLessThanOrEqual(tolerance);
    });
  });
});
