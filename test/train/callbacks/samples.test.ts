// SampleImages and SampleText: what they show, that the run is the same without them, that a run that goes on keeps what was shown, and what is refused.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { HostArray } from "../../../src/core/array.ts";
import { ConfigError, ShapeError } from "../../../src/core/errors.ts";
import { arrayDataset } from "../../../src/data/dataset.ts";
import { dataLoader } from "../../../src/data/loader.ts";
import { textWindows } from "../../../src/data/text.ts";
import * as nn from "../../../src/nn/index.ts";
import { bitmap } from "../../../src/report/bitmap.ts";
import { type Label, renderSample, type Sample } from "../../../src/report/samples.ts";
import { watchOffset } from "../../../src/rng/regions.ts";
import { Stream, withStream } from "../../../src/rng/stream.ts";
import { tensor } from "../../../src/tensor/functions.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { SampleImages } from "../../../src/train/callbacks/sample-images.ts";
import { SamplePredictions } from "../../../src/train/callbacks/sample-predictions.ts";
import { SampleText } from "../../../src/train/callbacks/sample-text.ts";
import type { Callback, Logger, TrainerOptions } from "../../../src/train/contract.ts";
import { ReportLogger } from "../../../src/train/loggers/report.ts";
import type { Run } from "../../../src/train/run.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

const facts = ({ digest, graphHash, streamPosition }: Run) => ({ digest, graphHash, streamPosition });
const page = (modelDir: string) => readFileSync(`${modelDir}/report.html`, "utf8");
const figure = (modelDir: string) => /<figure class="chart sample"[\s\S]*?<\/figure>/.exec(page(modelDir))?.[0];
const pixels = Float32Array.from({ length: 8 * 6 }, (_, i) => ((i * 7) % 11) / 10);
const pictures = () =>
  dataLoader(arrayDataset("pixels", { inputs: { data: pixels, shape: [8, 6], dtype: "float32" } }), {
    ...{ batchSize: 2, shuffle: true },
  });
/** Shown samples by name and step. */
function shown(): { readonly logger: Logger; readonly samples: [string, Sample, number][] } {
  const samples: [string, Sample, number][] = [];
  return { samples, logger: { logSample: (...told) => void samples.push(told) } };
}
const drawing = (callbacks: Callback[], changes: Partial<TrainerOptions> = {}) =>
  toyTrainer({
    ...{ model: () => nn.vae({ inputs: 6, hidden: [4], latent: 2 }), loss: undefined, metrics: {}, callbacks },
    ...{ loop: { numSteps: 6, evalFrequency: 2 }, ...changes },
  });

test("SampleImages: after each validation the model's samples of the same draws; the run is the same without", async () => {
  const { samples, logger } = shown();
  const trainer = drawing([new SampleImages({ size: [2, 3], count: 3 })], { loggers: [logger] });
  const run = await trainer.fit(pictures(), pictures());
  expect(facts(run)).toEqual(facts(await drawing([]).fit(pictures(), pictures())));
  expect(samples.map(([name, , step]) => [name, step])).toEqual([2, 4, 6].map((step) => ["samples", step]));
  const { images } = samples[2][1] as { images: HostArray };
  expect(images.shape).toEqual([3, 2, 3]);
  const model = trainer.model as nn.Vae;
  const expected = await withStream(new Stream(7, watchOffset), () => model.sample(3).data());
  expect(Array.from(images.data)).toEqual(Array.from(expected));
});

test("the report has the last pictures; a run that goes on keeps them", async () => {
  const options = (modelDir: string): Partial<TrainerOptions> => ({
    ...{ modelDir, loggers: [new ReportLogger()], checkpoint: { steps: 3 }, loop: { numSteps: 6, evalFrequency: 2 } },
  });
  const whole = temporaryFolder();
  const callback = () => new SampleImages({ size: [2, 3], count: 5 });
  const { samples, logger } = shown();
  await drawing([callback()], { ...options(whole), loggers: [new ReportLogger(), logger] }).fit(pictures(), pictures());
  const bytes = Buffer.from(/base64,([^"]*)/.exec(figure(whole)!)![1], "base64");
  // Three columns of 3 pixels and two rows of 2, two pixels between them.
  expect([bytes.readInt32LE(18), bytes.readInt32LE(22)]).toEqual([13, 6]);
  const { images } = samples.at(-1)![1] as { images: HostArray };
  const at = (x: number, y: number) => bytes[bytes.readUInt32LE(10) + (5 - y) * 16 + x];
  expect(at(0, 0)).toBe(Math.round(255 * images.data[0]));
  expect(at(7, 5)).toBe(Math.round(255 * images.data[4 * 6 + 5]));
  expect(at(3, 0)).toBe(128);
  const stopped = temporaryFolder();
  const crash: Callback = {
    onTrainBatchEnd({ step }) {
      if (step === 5) throw new Error("stop");
    },
  };
  await expect(drawing([callback(), crash], options(stopped)).fit(pictures(), pictures())).rejects.toThrow(/stop/);
  expect(figure(stopped)).toContain('data-step="4"');
  const kept = page(stopped).replace(/data-sample="samples" data-step="4"/, 'data-sample="samples" data-step="2"');
  writeFileSync(`${stopped}/report.html`, kept);
  await drawing([], options(stopped)).fit(pictures(), pictures());
  expect(figure(stopped)).toContain('data-step="2"');
});

test("a bitmap's rows are padded to four bytes and come from the bottom", () => {
  const bytes = bitmap(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2);
  expect(String.fromCharCode(bytes[0], bytes[1])).toBe("BM");
  expect(Array.from(bytes.subarray(-8))).toEqual([4, 5, 6, 0, 1, 2, 3, 0]);
  expect(bytes.length).toBe(54 + 1024 + 8);
});

test("SampleImages refuses a model without samples, and another size than theirs", async () => {
  expect(() => toyTrainer({ callbacks: [new SampleImages({ size: [2, 2] })] })).toThrow(ConfigError);
  expect(() => toyTrainer({ callbacks: [new SampleImages({ size: [2, 2] })] })).toThrow(/the model makes no samples/);
  const fit = drawing([new SampleImages({ size: [2, 2] })]).fit(pictures(), pictures());
  await expect(fit).rejects.toThrow(ShapeError);
  await expect(fit).rejects.toThrow(/SampleImages\.size: .*got \[2, 2\].*\[64, 6\]/);
});

const text = () =>
  dataLoader(textWindows("song", "la la li lo la li la lo ".repeat(4), { context: 6 }), {
    batchSize: 4,
    shuffle: true,
  });
const gpt = () => nn.gpt({ vocabulary: 5, context: 6, width: 4, heads: 1, layers: 1, dropout: 0.1 });
const lstm = () => nn.lstmLanguageModel({ vocabulary: 5, width: 4, layers: 1 });
const writing = (model: () => nn.Module, callbacks: Callback[], loggers: Logger[] = []) =>
  toyTrainer({ model, callbacks, loggers, metrics: {}, loop: { numSteps: 3 } }).fit(text());

test.each([
  ["gpt", gpt],
  ["lstm", lstm],
])("SampleText: %s writes after the last step, the same again; the run is the same without", async (_, model) => {
  const { samples, logger } = shown();
  const callback = (temperature: number) => new SampleText({ prompt: "la", length: 9, context: 6, temperature });
  const run = await writing(model, [callback(1)], [logger]);
  expect(facts(run)).toEqual(facts(await writing(model, [])));
  await writing(model, [callback(1)], [logger]);
  await writing(model, [callback(0.001)], [logger]);
  const texts = samples.map(([, sample]) => (sample as { text: string }).text);
  expect(samples.map(([name, , step]) => [name, step])).toEqual(texts.map(() => ["text", 3]));
  for (const written of texts) expect(written).toMatch(/^la[ ailo]{9}$/);
  expect(texts[1]).toBe(texts[0]);
  expect(texts[2]).not.toBe(texts[0]);
});

test("SampleText refuses data that are no text, a prompt of other characters, and a context that the model hasn't: before the first step", async () => {
  const other = toyTrainer({ callbacks: [new SampleText()], loop: { numSteps: 1 } }).fit(toyTrain());
  await expect(other).rejects.toThrow(/SampleText: the training data are no text: got loader toy/);
  await expect(writing(gpt, [new SampleText({ prompt: "x", context: 6 })])).rejects.toThrow(
    /a character that isn't in it/,
  );
  expect(() => new SampleText({ prompt: "" })).toThrow(/SampleText\.prompt: it is empty/);
  const steps: number[] = [];
  const spy: Callback = { onTrainStepStart: ({ step }) => void steps.push(step) };
  await expect(writing(gpt, [new SampleText({ prompt: "l" }), spy])).rejects.toThrow(/time ≤ 6/);
  expect(steps).toEqual([]);
});

test("SamplePredictions: the first pictures with the model's answers, wrong ones with what they are; the run is the same without", async () => {
  const { samples, logger } = shown();
  const options = (callbacks: Callback[]): Partial<TrainerOptions> => ({
    ...{ callbacks, loggers: [logger], loop: { numSteps: 4, evalFrequency: 2 } },
  });
  const train = () => [toyTrain(), toyTest()] as const;
  const trainer = toyTrainer(options([new SamplePredictions({ size: [1, 4], count: 5 })]));
  const run = await trainer.fit(...train());
  expect(facts(run)).toEqual(facts(await toyTrainer(options([])).fit(...train())));
  expect(samples.map(([name, , step]) => [name, step])).toEqual([
    ["predictions", 2],
    ["predictions", 4],
  ]);
  const { images, labels } = samples[1][1] as { images: HostArray; labels: readonly Label[] };
  expect(images.shape).toEqual([5, 1, 4]);
  expect([Math.min(...(images.data as Float32Array)), Math.max(...(images.data as Float32Array))]).toEqual([0, 1]);
  trainer.model.eval();
  for await (const batch of toyTest().batches({ seed: 1n, offset: 0 })) {
    const { inputs, targets } = batch.tensors;
    const answers = await (
      trainer.model.forward(tensor(Array.from(inputs.data, Number)).reshape(inputs.shape)) as Tensor
    )
      .argmax({ axis: -1 })
      .data();
    const expected = labels.map((_, i) => {
      const wrong = answers[i] !== targets.data[i];
      return { text: wrong ? `${answers[i]}, is ${targets.data[i]}` : `${answers[i]}`, wrong };
    });
    expect(labels.some(({ wrong }) => wrong)).toBe(true);
    expect(labels).toEqual(expected);
    break;
  }
  expect(renderSample("predictions", 4, samples[1][1]).html.match(/<li/g)).toHaveLength(5);
});

test("SamplePredictions of another size than the inputs are refused", async () => {
  const trainer = toyTrainer({
    callbacks: [new SamplePredictions({ size: [3, 3] })],
    loop: { numSteps: 1, evalFrequency: "end" },
  });
  await expect(trainer.fit(toyTrain(), toyTrain())).rejects.toMatchObject({
    name: "ShapeError",
    where: expect.stringContaining("SamplePredictions.size"),
  });
});
