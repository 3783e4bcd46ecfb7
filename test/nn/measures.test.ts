// Losses and metrics in a run, at their edges, and on bad input. Their values: test/golden/measures.test.ts.
import { describe, expect, test } from "vitest";
import { ConfigError, DataError, ShapeError } from "../../src/core/errors.ts";
import type { Loss } from "../../src/nn/losses.ts";
import * as losses from "../../src/nn/losses.ts";
import { withTerms } from "../../src/nn/metrics/metric.ts";
import * as metrics from "../../src/nn/metrics.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { ops, tensor, zeros } from "../../src/tensor/functions.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { register } from "../../src/train/config/register.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const int = (values: number[] | number[][]) => tensor(values, { dtype: "int32" });
const measure = async (metric: metrics.Metric, outputs: number[] | number[][], targets: number[] | number[][]) =>
  metric.value([...(await metric.terms(tensor(outputs), { targets: int(targets) }).data())]);

describe("in a run", () => {
  test("several numbers of one metric go by name/key; metrics change nothing of the run", async () => {
    const loop = { numSteps: 6, evalFrequency: 3 } as const;
    const all = [
      metrics.accuracy(),
      metrics.perClassAccuracy(),
      metrics.fBeta({ beta: 2 }),
      metrics.auc(),
      metrics.perplexity(),
      metrics.recallAtK({ k: 1 }),
      metrics.mean(losses.crossEntropy, "again"),
    ];
    const plain = await toyTrainer({ loop }).fit(toyTrain(), toyTest());
    for (const backend of ["wasm", "gpujs:cpu"]) {
      const other = await toyTrainer({ loop, metrics: all, backend }).fit(toyTrain(), toyTest());
      expect(other.metrics).toEqual((await toyTrainer({ loop, metrics: all }).fit(toyTrain(), toyTest())).metrics);
    }
    const run = await toyTrainer({ loop, metrics: all }).fit(toyTrain(), toyTest());
    expect(run.digest).toBe(plain.digest);
    const { metrics: found } = run;
    expect(Object.keys(found)).toEqual([
      "loss",
      "accuracy",
      "per_class_accuracy/0",
      "per_class_accuracy/1",
      "per_class_accuracy/mean",
      "f2",
      "auc",
      "perplexity",
      "recall_at_1",
      "again",
    ]);
    expect(found.accuracy).toBe(plain.metrics.accuracy);
    expect(found.recall_at_1).toBe(found.accuracy);
    expect(found.again).toBe(found.loss);
    expect(Math.abs(found.perplexity - Math.exp(found.loss))).toBeLessThan(1e-6);
  });

  test("a smoothed loss trains another model than the plain one, on every backend the same", async () => {
    const smoothed: Loss = (outputs, batch) => losses.crossEntropy(outputs, batch, { labelSmoothing: 0.2 });
    const loop = { numSteps: 3 };
    const digests = await Promise.all(
      ["reference", "wasm"].map(
        async (backend) => (await toyTrainer({ loss: smoothed, loop, backend }).fit(toyTrain())).digest,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
    expect((await toyTrainer({ loop }).fit(toyTrain())).digest).not.toBe(digests[0]);
  });
});

describe("edges", () => {
  test("ties go to the lower class; NaN is no hit", async () => {
    const k = metrics.topKAccuracy({ k: 2 });
    expect(await measure(k, [[1, 1, 1]], [1])).toBe(1);
    expect(await measure(k, [[1, 1, 1]], [2])).toBe(0);
    expect(await measure(k, [[Number.NaN, 0, 1]], [0])).toBe(0);
    expect(await measure(metrics.precisionAtK({ k: 2 }), [[1, 1, 1]], [[0, 1, 1]])).toBe(0.5);
  });

  test("classes that don't occur aren't averaged over; nothing found is 0", async () => {
    const outputs = [
      [1, 0, 0],
      [1, 0, 0],
    ];
    expect(await measure(metrics.perClassAccuracy(), outputs, [0, 1])).toEqual({ 0: 1, 1: 0, mean: 0.5 });
    expect(await measure(metrics.meanIoU(), outputs, [0, 1])).toBe(0.25);
    expect(await measure(metrics.precision({ average: "binary" }), outputs, [0, 1])).toBe(0);
    expect(
      await measure(
        metrics.recallAtK({ k: 1 }),
        [
          [1, 0],
          [1, 0],
        ],
        [
          [1, 1],
          [0, 0],
        ],
      ),
    ).toBe(0.5);
  });

  test("ignored targets count nothing, whatever is out of the classes' range: each metric is that of the others", async () => {
    const [kept, rows, left] = [
      [0, 2, 1, 1],
      [
        [3, 0, 1],
        [0, 0, 1],
        [0, 0, 2],
        [0, 5, 0],
      ],
      [9, 9, 9],
    ];
    for (const ignoreIndex of [-100, 7]) {
      const of = (make: (given?: metrics.IgnoredOptions) => metrics.Metric) =>
        Promise.all([
          measure(make({ ignoreIndex }), [left, ...rows, left], [ignoreIndex, ...kept, ignoreIndex]),
          measure(make(), rows, kept),
        ]);
      const { accuracy, perClassAccuracy, confusionMatrix, precision, recall, fBeta, dice, meanIoU } = metrics;
      const average = (make: typeof precision) => (given?: metrics.IgnoredOptions) =>
        make({ ...given, average: "micro" });
      const { topKAccuracy, precisionAtK, recallAtK } = metrics;
      const ranked =
        <O extends { k?: number }>(make: (given: O) => metrics.Metric) =>
        (given?: metrics.IgnoredOptions) =>
          make({ ...given, k: 2 } as O);
      const all = [
        ...[accuracy, perClassAccuracy, confusionMatrix, meanIoU, fBeta, dice, precision, average(recall)],
        ...[ranked(topKAccuracy), ranked(precisionAtK), ranked(recallAtK)],
      ];
      for (const make of all) {
        const [found, expected] = await of(make);
        expect(found, make().name).toEqual(expected);
      }
    }
    // Of a logit for each target; and none left.
    expect(await measure(metrics.accuracy({ ignoreIndex: 2 }), [1, -1, -1], [1, 1, 2])).toBe(0.5);
    expect(await measure(metrics.accuracy({ ignoreIndex: 2 }), [[1, 0]], [2])).toBe(Number.NaN);
    const scores = [NaN, 2, -1, 0.5, -2];
    for (const bins of [undefined, 8]) {
      const [found, of] = [metrics.auc({ bins, ignoreIndex: -1 }), metrics.auc({ bins })];
      expect(await measure(found, scores, [-1, 1, 1, 0, 0])).toBe(await measure(of, scores.slice(1), [1, 1, 0, 0]));
    }
    const relevance = () => measure(metrics.precisionAtK({ k: 1, ignoreIndex: 0 }), [[1, 2]], [[0, 1]] as never);
    await expect(async () => relevance()).rejects.toThrow(/^metrics.precisionAtK.ignoreIndex: targets are relevance/);
    // Cross entropy of alike logits is ln 2: sums of two are exact.
    const even = [
      [1, 1],
      [1, 1],
      [1, 9],
      [1, 1],
    ];
    for (const make of [metrics.perplexity, metrics.bitsPerCharacter])
      expect(await measure(make({ ignoreIndex: -1 }), even, [0, 1, -1, -1])).toBe(
        await measure(
          make(),
          [
            [1, 1],
            [1, 1],
          ],
          [0, 1],
        ),
      );
  });

  test.each([{}, { bins: 10 }])(
    "AUC %j: all above is 1, ties ½, one class alone NaN; [..., 2] as the difference of both",
    async (options) => {
      const auc = metrics.auc(options);
      expect(await measure(auc, [-3, -2, 2, 3], [0, 0, 1, 1])).toBe(1);
      expect(await measure(auc, [1, 1], [0, 1])).toBe(0.5);
      expect(await measure(auc, [1, 1], [1, 1])).toBe(Number.NaN);
      expect(
        await measure(
          auc,
          [
            [5, 2],
            [5, 8],
            [5, Infinity],
          ],
          [0, 1, 1],
        ),
      ).toBe(1);
    },
  );

  test("AUC is that of all pairs, counted one by one, whatever the batches: random scores with many ties", async () => {
    const words = new Uint32Array(4000);
    fillWords(5n, 0, words);
    let at = 0;
    const word = () => words[at++];
    for (const [size, levels] of [
      [1, 2],
      [7, 3],
      [200, 5],
      [500, 2 ** 32],
      [500, 40],
    ]) {
      // Logits so far apart that their probabilities are 1, too.
      const scores = Float32Array.from({ length: size }, () => (word() % levels) * 3 - 20);
      const targets = Int32Array.from({ length: size }, () => Number(word() % 3 === 0));
      const auc = metrics.auc();
      let kept: number[] = [];
      for (let from = 0; from < size; from += 64) {
        const [part, labels] = [scores.slice(from, from + 64), targets.slice(from, from + 64)];
        const terms = auc.terms(tensor([...part]), { targets: int([...labels]) });
        kept = withTerms(auc, kept, await terms.data());
      }
      let [above, pairs] = [0, 0];
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          if (targets[i] !== 1 || targets[j] !== 0) continue;
          above += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
          pairs++;
        }
      }
      expect(auc.value(kept), `${size} of ${levels}`).toBe(above / pairs);
    }
  });

  test("AUC at its edges: infinities are scores, zeros of both signs tie, NaN is NaN, other targets are refused", async () => {
    const auc = metrics.auc();
    expect(await measure(auc, [-Infinity, Infinity, 3], [0, 1, 0])).toBe(1);
    expect(await measure(auc, [-0, 0], [0, 1])).toBe(0.5);
    expect(await measure(auc, [0, -0], [0, 1])).toBe(0.5);
    expect(await measure(auc, [Number.NaN, 0], [0, 1])).toBe(Number.NaN);
    expect(await measure(auc, [30, 40], [0, 1])).toBe(1);
    expect(await measure(metrics.auc({ bins: 100 }), [30, 40], [0, 1])).toBe(0.5);
    await expect(measure(auc, [1, 2, 3], [0, 1, 2])).rejects.toThrow(DataError);
    await expect(measure(auc, [1, 2, 3], [0, 1, 2])).rejects.toThrow(/auc: the target of sample 2 is no class: got 2/);
  });

  test("softplus and sign, where they change", async () => {
    expect(await ops.sign(tensor([-2, -0, 0, 3, Number.NaN])).array()).toEqual([-1, -0, 0, 1, Number.NaN]);
    expect(await ops.sign(int([-5, 0, 7])).array()).toEqual([-1, 0, 1]);
    expect(await ops.softplus(tensor([-200, 200])).array()).toEqual([0, 200]);
  });
});

describe("metrics of numbers", () => {
  test("r2 is that of all samples, whatever the batches, and loses nothing to a large mean", async () => {
    const metric = metrics.r2();
    const [outputs, targets] = [
      [1000.5, 1001, 1003, 1001.5, 1000],
      [1000, 1001, 1002, 1003, 999],
    ];
    let kept: number[] = [];
    for (const [from, to] of [
      [0, 2],
      [2, 5],
    ]) {
      const batch = { targets: tensor(targets.slice(from, to)) };
      kept = withTerms(metric, kept, await metric.terms(tensor(outputs.slice(from, to)), batch).data());
    }
    expect(metric.value(kept)).toBeCloseTo(1 - 4.5 / 10, 5);
    const of = async (outputs: number[][], targets: number[][]) =>
      metric.value([...(await metric.terms(tensor(outputs), { targets: tensor(targets) }).data())]);
    expect(await of([[1], [1]], [[1], [1]])).toBe(1);
    expect(await of([[1], [2]], [[1], [1]])).toBe(0);
    // One output met, the other at its mean.
    expect(
      await of(
        [
          [1, 4],
          [2, 4],
        ],
        [
          [1, 3],
          [2, 5],
        ],
      ),
    ).toBe(0.5);
  });

  test("the confusion matrix: targets down, predictions across", async () => {
    const outputs = [
      [1, 0],
      [1, 0],
      [0, 1],
    ];
    expect(await measure(metrics.confusionMatrix(), outputs, [0, 1, 1])).toEqual({
      "0/0": 1,
      "0/1": 0,
      "1/0": 1,
      "1/1": 1,
    });
  });
});

describe("bad input", () => {
  const one = tensor([[1, 2]]);
  test.each<[string, () => unknown, typeof ConfigError | typeof ShapeError]>([
    ["label smoothing", () => losses.crossEntropy(one, int([0]), { labelSmoothing: 1.5 }), ConfigError],
    ["no targets", () => losses.l1(one, {}), ConfigError],
    ["shapes that differ", () => losses.binaryCrossEntropy(one, tensor([1])), ShapeError],
    ["rows without a target", () => losses.nll(one, int([0, 1])), ShapeError],
    ["beta", () => losses.smoothL1(one, one, { beta: 0 }), ConfigError],
    ["delta", () => losses.huber(one, one, { delta: -1 }), ConfigError],
    ["a weight", () => losses.binaryCrossEntropy(one, one, { positiveWeight: 0 }), ConfigError],
    ["k", () => metrics.topKAccuracy({ k: 0 }), ConfigError],
    ["k above the classes", () => metrics.recallAtK({ k: 3 }).terms(one, { targets: int([0]) }), ShapeError],
    ["ranks of one number", () => metrics.topKAccuracy().terms(tensor(1), { targets: tensor(1) }), ShapeError],
    ["ranks of no class", () => metrics.topKAccuracy().terms(zeros([2, 0]), { targets: int([0, 0]) }), ShapeError],
    ["bins", () => metrics.auc({ bins: 1.5 }), ConfigError],
    ["an average", () => metrics.dice({ average: "mean" as "macro" }), ConfigError],
    ["a metric's targets", () => metrics.accuracy().terms(one, {}), ConfigError],
    ["a metric's shapes", () => metrics.fBeta().terms(one, { targets: int([0, 1, 0]) }), ShapeError],
    ["scores for AUC", () => metrics.auc().terms(tensor([[1, 2, 3]]), { targets: int([0]) }), ShapeError],
    ["a target of another shape", () => metrics.r2().terms(one, { targets: tensor([1, 2]) }), ShapeError],
    ["an error without targets", () => metrics.rmse().terms(one, {}), ConfigError],
    ["many classes", () => metrics.confusionMatrix().terms(zeros([1, 65]), { targets: int([0]) }), ShapeError],
    ["negative beta", () => metrics.fBeta({ beta: -1 }), ConfigError],
  ])("%s", (_, act, error) => {
    expect(act).toThrow(error);
  });

  test("one class alone, which all would be, is told to have the targets' shape", async () => {
    const [logits, targets] = [tensor([[2], [-1]]), int([1, 1])];
    for (const metric of [metrics.accuracy(), metrics.precision()])
      expect(() => metric.terms(logits, { targets })).toThrow(/no class for each target.*\n.*outputs\.squeeze\(-1\)/);
    expect(await measure(metrics.accuracy(), [2, -1], [1, 1])).toBe(0.5);
  });

  test("a target that is no class is an error when run", async () => {
    await expect(measure(metrics.dice(), [[1, 0]], [2])).rejects.toThrow(ShapeError);
  });

  const parse = (rest: string) =>
    parseConfig(
      `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, loop: {num_steps: 1}, ${rest}}}`,
      "m.yaml",
    ).trainer.init;

  test("a mean of a loss of one's own", () => {
    register("loss", "own_loss", () => losses.mse);
    expect(parse("metrics: [{mean: {loss: own_loss}}]").metrics).toEqual([
      { class: "mean", loss: { class: "own_loss" } },
    ]);
  });

  test("names in any case, with options or bare", () => {
    expect(parse("loss: {Huber: {delta: 2}}, metrics: [AUC, {F_Beta: {beta: 2}}, perplexity]")).toMatchObject({
      loss: { class: "huber", delta: 2 },
      metrics: [{ class: "auc" }, { class: "f_beta", beta: 2, average: "macro" }, { class: "perplexity" }],
    });
  });

  test.each([
    ["metrics: [acuracy]", /did you mean accuracy/],
    ["metrics: [{f_beta: {bta: 2}}]", /did you mean beta/],
    ["metrics: [precision_at_k]", /precision_at_k\.?k.*required|required.*k/s],
    ["metrics: [{dice: {average: mean}}]", /one of macro/],
    ["metrics: [{mean: {loss: hubert}}]", /did you mean huber/],
    ["loss: {cross_entropy: {label_smoothing: 2}}", /\[0, 1\]/],
    ["loss: {huber: {delta: 0}}", /> 0/],
    ["loss: bce", /unknown class/],
  ])("%s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(ConfigError);
  });
});
