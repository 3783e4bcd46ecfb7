import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { accuracy, confusionMatrix } from "../../src/nn/metrics.ts";
import { renderChart } from "../../src/report/curves.ts";
import { renderConfusion } from "../../src/report/heatmap.ts";
import { formatNumber } from "../../src/report/html.ts";
import { seriesText } from "../../src/report/run.ts";
import { groupSeries, SeriesStore } from "../../src/report/series.ts";
import { CountParams } from "../../src/train/callbacks/model-summary.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { ReportLogger } from "../../src/train/loggers/report.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const options = (modelDir: string | undefined, callbacks: Callback[] = []): Partial<TrainerOptions> => ({
  modelDir,
  callbacks,
  loggers: [new ReportLogger()],
  ...(modelDir !== undefined && { checkpoint: { steps: 3 } }),
  loop: { numEpochs: 3, evalFrequency: 2 },
  logging: { logSteps: 1, logLevel: "silent" },
});
const page = (modelDir: string) => readFileSync(`${modelDir}/report.html`, "utf8");
const curves = (modelDir: string) => seriesText(page(modelDir));
const crashAt = (at: number, hook: "onTrainBatchEnd" | "onAfterSaveCheckpoint"): Callback => ({
  [hook]({ step }: { step: number }) {
    if (step === at) throw new Error("stop");
  },
});

describe("ReportLogger", () => {
  test("stopped and resumed: the curves of a run that never stopped", async () => {
    const whole = temporaryFolder();
    const { digest } = await toyTrainer(options(whole)).fit(toyTrain(), toyTest());
    for (const [at, hook] of [
      [5, "onTrainBatchEnd"],
      [6, "onAfterSaveCheckpoint"],
    ] as const) {
      const modelDir = temporaryFolder();
      await expect(toyTrainer(options(modelDir, [crashAt(at, hook)])).fit(toyTrain(), toyTest())).rejects.toThrow(
        /stop/,
      );
      expect(page(modelDir)).toMatch(/<span class="pill failed">failed/);
      expect((await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest())).digest).toBe(digest);
      expect(curves(modelDir)).toBe(curves(whole));
      expect(page(modelDir)).toContain(digest);
    }
  });

  test("what is logged before the first step is in it", async () => {
    const modelDir = temporaryFolder();
    const trainer = toyTrainer(options(modelDir, [new CountParams()]));
    await trainer.logMetrics({ mine: 3 });
    await trainer.fit(toyTrain(), toyTest());
    const { series } = JSON.parse(curves(modelDir)!);
    expect([series.mine, series["parameters/total"]]).toMatchObject([
      { steps: [0], values: [3] },
      { steps: [0], values: [58] },
    ]);
  });

  test("a report that is damaged, or gone, begins anew, with a warning or without", async () => {
    const modelDir = temporaryFolder();
    await expect(
      toyTrainer(options(modelDir, [crashAt(5, "onTrainBatchEnd")])).fit(toyTrain(), toyTest()),
    ).rejects.toThrow(/stop/);
    writeFileSync(`${modelDir}/report.html`, page(modelDir).replace('"format":1', '"format":9'));
    const messages: string[] = [];
    const spy = { logMessage: (level: string, text: string) => void messages.push(`${level}: ${text}`) };
    const resumed = toyTrainer({ ...options(modelDir), loggers: [new ReportLogger(), spy], logging: { logSteps: 1 } });
    await resumed.fit(toyTrain(), toyTest());
    expect(messages.join("\n")).toMatch(/warn: .*report\.html: its curves can't be read, and begin anew/);
    expect(JSON.parse(curves(modelDir)!).series.loss.steps[0]).toBe(4);
  });

  test("without a folder nothing is written; on a finished run nothing is written again", async () => {
    await toyTrainer(options(undefined)).fit(toyTrain(), toyTest());
    const modelDir = temporaryFolder();
    await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    writeFileSync(`${modelDir}/report.html`, "mine");
    await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    expect(page(modelDir)).toBe("mine");
    expect(existsSync("report.html")).toBe(false);
  });
});

describe("a confusion matrix", () => {
  test("is drawn as it was last, and is neither a curve nor a column", async () => {
    const modelDir = temporaryFolder();
    const metrics = [accuracy(), confusionMatrix()];
    const run = await toyTrainer({ ...options(modelDir), metrics }).fit(toyTrain(), toyTest());
    const text = page(modelDir);
    const [figure] = text.match(/<figure class="chart confusion">.*?<\/figure>/s)!;
    expect(text.match(/class="chart confusion"/g)!.length).toBe(1);
    expect(figure).toContain("<h3>confusion matrix</h3>");
    expect(figure.match(/<rect /g)!.length).toBe(4);
    const cell = (target: number, predicted: number) => run.metrics[`confusion_matrix/${target}/${predicted}`];
    for (const target of [0, 1]) {
      const total = cell(target, 0) + cell(target, 1);
      for (const predicted of [0, 1])
        expect(figure).toContain(
          `<title>target ${target}, predicted ${predicted}: ${cell(target, predicted)} of ${total}</title>`,
        );
    }
    expect(cell(0, 0) + cell(0, 1) + cell(1, 0) + cell(1, 1)).toBe(70);
    const others = text.replace(figure, "").replace(/<script.*/s, "");
    expect(others).toContain("<h3>accuracy");
    expect(others).not.toMatch(/<(h3|th|dt)[^>]*>[^<]*confusion|confusion_matrix\//);
  });

  test("of many classes: no counts in the squares, every few a number beside them; a class without targets is empty", () => {
    const counts = Array.from({ length: 40 }, (_, i) => Array.from({ length: 40 }, (_, j) => Number(i === j && i > 0)));
    const figure = renderConfusion({ name: "val_confusion_matrix", step: 3, counts });
    expect(figure.match(/<rect /g)!.length).toBe(1600);
    expect(figure).toContain('fill-opacity="0.040"><title>target 0, predicted 0: 0 of 0</title>');
    expect(figure).not.toContain('class="full"');
    expect(figure.match(/class="soft"/g)!.length).toBe(2 * 14 + 2);
  });
});

describe("series", () => {
  test("thinned by halves, cut back, and read back as they were", () => {
    const store = new SeriesStore();
    for (let step = 1; step <= 20_000; step++) store.add("loss", step, step / 3);
    store.add("val_loss", 937, Number.NaN);
    const [loss, validated] = store.list();
    expect(loss.steps.length).toBeGreaterThan(2048);
    expect(loss.steps.length).toBeLessThanOrEqual(4096);
    expect(loss.steps.every((step) => step % 8 === 0)).toBe(true);
    expect(loss.values[1]).toBe(5.333333);
    expect(validated.steps).toEqual([937]);
    const again = SeriesStore.parse(store.serialize());
    expect(again.serialize()).toBe(store.serialize());
    again.cutBack(500);
    expect(again.list().map(({ name, steps }) => [name, steps.at(-1)])).toEqual([["loss", 496]]);
    again.add("loss", 496, 1);
    expect(again.list()[0].values.at(-1)).toBe(1);
    expect(() => SeriesStore.parse('{"format":1,"series":{"a":{"steps":[1],"values":[],"stride":1}}}')).toThrow();
  });

  test("charts: training and validation together, norms by kind, the loss first", () => {
    const store = new SeriesStore();
    for (const name of [
      "duration/left",
      "learning_rate",
      "norm/gradient/0.weight",
      "gradient_norm",
      "val_accuracy",
      "val_loss",
      "loss",
      "rate/steps_per_second",
      "rate/steps_per_second_average",
      "optimizer/0/weight_decay",
      "mine",
    ])
      store.add(name, 1, 1);
    expect(groupSeries(store.list()).map(({ title, series }) => [title, series.length])).toEqual([
      ["loss", 2],
      ["accuracy", 1],
      ["mine", 1],
      ["learning rate", 1],
      ["norm: gradient", 2],
      ["optimizer: weight decay", 1],
      ["rate: steps per second", 2],
      ["duration: time left", 1],
    ]);
  });

  test.each<[string, [number, number][]]>([
    ["one point", [[5, 1]]],
    [
      "one value",
      [
        [1, 2],
        [2, 2],
      ],
    ],
    [
      "no finite value",
      [
        [1, Number.NaN],
        [2, Number.POSITIVE_INFINITY],
      ],
    ],
    [
      "zeros",
      [
        [0, 0],
        [9, 0],
      ],
    ],
    [
      "large and small",
      [
        [1, 1e-30],
        [2, 1e30],
      ],
    ],
    [
      "negative",
      [
        [1, -5],
        [1000000, -1e-9],
      ],
    ],
  ])("a chart of %s has only finite coordinates", (_, points) => {
    const store = new SeriesStore();
    for (const [step, value] of points) store.add("loss", step, value);
    const text = renderChart(groupSeries(store.list())[0], 0);
    const coordinates = [...text.matchAll(/ (?:d|x|y|x1|x2|y1|y2|cx|cy)="([^"]*)"/g)]
      .map((match) => match[1])
      .join(" ");
    expect(coordinates).not.toMatch(/NaN|Infinity/);
    expect(text).toContain("<svg");
  });

  test("a noisy series is smoothed over its finite values; a steady one is drawn as it is", () => {
    const chart = (value: (step: number) => number) => {
      const store = new SeriesStore();
      for (let step = 1; step <= 300; step++) store.add("loss", step, value(step));
      return renderChart(groupSeries(store.list())[0], 0);
    };
    const noisy = chart((step) => (step === 7 ? Number.NaN : 1 + (step % 2)));
    expect(noisy.match(/class="(noise|line)"/g)).toEqual(['class="noise"', 'class="line"']);
    // The mean of 1 and 2 in the middle of the plot, after the NaN too: all of the line lies between.
    const line = noisy.match(/class="line" d="([^"]*)"/)![1];
    const heights = [...line.matchAll(/[ML]\S+ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights.length).toBeGreaterThan(200);
    expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(60);
    expect(chart((step) => step).match(/class="(noise|line)"/g)).toEqual(['class="line"']);
  });

  test.each([
    [0, "0"],
    [0.1, "0.1"],
    [1 / 3, "0.3333"],
    [12345.678, "12350"],
    [1e-9, "1.00e-9"],
    [-2.5e8, "-2.50e+8"],
    [Number.NaN, "NaN"],
    [101770, "101770"],
  ])("%s is shown as %s", (value, text) => expect(formatNumber(value)).toBe(text));
});
