// Several optimizers in a Trainer: a small GAN whose generator is moved every second step.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, TrainingError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { normal, tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { ComputeNorm, OpProfiler } from "../../src/train/callbacks/index.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { register } from "../../src/train/config/register.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import type { Rebuild } from "../../src/train/replay.ts";
import { diffRuns } from "../../src/verify/diff.ts";
import { showDiff } from "../../src/verify/show.ts";
import { buildTrainer, Trainer } from "../../src/verify/trainer.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Both losses of one forward pass: each optimizer moves its own part by its own. */
class Gan extends nn.Module {
  readonly generator = nn.sequential(nn.linear(2, 8), nn.relu(), nn.linear(8, 2));
  readonly discriminator = nn.sequential(nn.linear(2, 8), nn.leakyRelu(), nn.linear(8, 1));

  constructor(readonly draws = true) {
    super();
  }

  override forward(inputs: Tensor) {
    const made = this.generator.forward(this.draws ? normal(inputs.shape) : inputs) as Tensor;
    const [real, fake] = [inputs, made].map((x) => this.discriminator.forward(x) as Tensor);
    return {
      generator: fake.neg().softplus().mean(),
      discriminator: real.neg().softplus().mean().add(fake.softplus().mean()),
    };
  }
}
register("model", "tiny_gan", () => new Gan());

const points = Float32Array.from({ length: 80 }, (_, i) => ((i * 29) % 17) / 17);
const dataset = arrayDataset("ring", { inputs: { data: points, shape: [40, 2], dtype: "float32" } });
const train = () => dataLoader(dataset, { batchSize: 8, shuffle: true });
register("dataloader", "ring", () => train());

const turns: NonNullable<TrainerOptions["optimizers"]> = [
  {
    optimizer: (model) => optim.adam(model.parameters(), { learningRate: 0.02, betas: [0.5, 0.9] }),
    parameters: "discriminator.*",
    minimizes: "discriminator",
    schedulers: optim.linearLR({ initialLearningRate: 0.02, endLearningRate: 0.001, totalIters: 12 }),
  },
  {
    optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.05, momentum: 0.9 }),
    parameters: "generator.*",
    minimizes: "generator",
    frequency: 2,
  },
];
const make = (changes: Partial<TrainerOptions> = {}) =>
  new Trainer({
    seed: 5,
    model: () => new Gan(),
    optimizers: turns,
    loop: { numSteps: 9 },
    precision: { maxGradientNorm: 0.5 },
    logging: { logLevel: "silent", logSteps: 1 },
    backend: "reference",
    ...changes,
  });
const stopAt = (at: number): Callback => ({
  onTrainBatchEnd({ step }) {
    if (step === at) throw new Error("stop");
  },
});

const yaml = (modelDir: string) => `
trainer:
  init:
    seed: 5
    model_dir: ${modelDir}
    model: {name: tiny_gan}
    optimizers:
      - optimizer: {Adam: {learning_rate: 0.02, betas: [0.5, 0.9]}}
        parameters: discriminator.*
        minimizes: discriminator
        schedulers: [LinearLR: {initial_learning_rate: 0.02, end_learning_rate: 0.001, total_iters: 12}]
      - {optimizer: {SGD: {learning_rate: 0.05, momentum: 0.9}}, parameters: [generator.*], minimizes: generator, frequency: 2}
    precision: {max_gradient_norm: 0.5}
    loop: {num_steps: 9}
    logging: {log_level: silent, log_steps: 1}
    backend: reference
    loggers: [ProgressLogger: null]
  fit: {train_dataloader: {name: ring}}
`;

describe("a GAN", () => {
  test("the generator moves at steps 1, 3, 5 …; its own slots, graphs, rates, norms and losses", async () => {
    const seen: string[] = [];
    const copy: Callback = {
      changesTraining: false,
      async onTrainStepEnd({ trainer }) {
        const values = await Promise.all(
          trainer.variables().map(async ([path, variable]) => [path, String(await variable.data())] as const),
        );
        seen.push(JSON.stringify(values.filter(([path]) => path.includes("generator."))));
      },
    };
    const trainer = make({ callbacks: [copy, new ComputeNorm()] });
    const run = await trainer.fit(train());
    expect(seen.map((state, i) => i > 0 && state === seen[i - 1])).toEqual(seen.map((_, i) => i % 2 === 1));
    expect(Object.keys(trainer.graphs)).toEqual(["init", "train", "train/0"]);
    expect(run.graphHash).toBe(trainer.graphs.train);
    expect(trainer.variables().map(([path]) => path)).toContain("optimizer/momentum/generator.0.weight");
    const { history } = run;
    expect(history["learning_rate/0"].values.slice(0, 2)).not.toEqual([0.02, 0.02]);
    expect(new Set(history["learning_rate/1"].values)).toEqual(new Set([0.05]));
    expect(history["gradient_norm/0"].steps).toHaveLength(9);
    expect(history["gradient_norm/1"].steps).toEqual([1, 3, 5, 7, 9]);
    const [generator, discriminator] = ["loss/generator", "loss/discriminator"].map((name) => history[name].values);
    expect(history.loss.values).toEqual(discriminator.map((value, i) => Math.fround(value + generator[i])));
  });

  test("moves as an own loop of the same two optimizers does, bit for bit", async () => {
    const rates = { learningRate: 0.05, momentum: 0.9 };
    const sgd = (model: Pick<nn.Module, "parameters">) => optim.sgd(model.parameters(), rates);
    const optimizers = turns.map(({ schedulers: _, ...turn }) => ({ ...turn, optimizer: sgd }));
    const trainer = make({ precision: {}, optimizers, model: () => new Gan(false), loop: { numSteps: 5 } });
    await trainer.fit(dataLoader(dataset, { batchSize: 8 }));
    const model = withStream(new Stream(5n), () => new Gan(false));
    const all = model.parameters();
    const [g, d] = [all.slice(0, 4), all.slice(4)].map((own) => optim.sgd(own, rates));
    const own = compile(
      (x: Tensor, both: boolean) => {
        const { generator, discriminator } = model.forward(x);
        const [byG, byD] = [gradients(generator, g.parameters), gradients(discriminator, d.parameters)];
        d.update(byD);
        if (both) g.update(byG);
        return discriminator;
      },
      { state: [model, g, d] },
    );
    for (let step = 0; step < 5; step++)
      await own(tensor(points.slice(step * 16, step * 16 + 16), { shape: [8, 2] }), step % 2 === 0);
    for (const [i, parameter] of model.parameters().entries())
      expect(await trainer.model.parameters()[i].data()).toEqual(await parameter.data());
  });

  test("stopped at any step and resumed: the digest and chain of a run that never stopped", async () => {
    const run = await make({ modelDir: join(temporaryFolder(), "whole") }).fit(train());
    for (const at of [2, 7]) {
      const modelDir = join(temporaryFolder(), "run");
      const options = { modelDir, checkpoint: { steps: 1 } };
      await expect(make({ ...options, callbacks: [stopAt(at)] }).fit(train())).rejects.toThrow(TrainingError);
      const resumed = await make(options).fit(train());
      expect(resumed.digest).toBe(run.digest);
      const others = [{ ...turns[0] }, { ...turns[1], frequency: 3 }];
      await expect(make({ ...options, optimizers: others }).fit(train())).rejects.toThrow(/optimizers\/1\/frequency/);
    }
  });

  test("from YAML the same digest; verified, and with another frequency refuted", async () => {
    const modelDir = join(temporaryFolder(), "run");
    const { trainer, train: loader } = buildTrainer(parseConfig(yaml(modelDir), "gan.yaml"));
    const run = await trainer.fit(loader!);
    expect(run.digest).toBe((await make().fit(train())).digest);
    expect(Object.keys(readManifest(`${modelDir}/manifest.json`).graphs)).toEqual(["init", "train", "train/0"]);
    expect((await trainer.verify(modelDir)).verdict).toBe("same");
    const other = make({ optimizers: [turns[0], { ...turns[1], frequency: 3 }] });
    expect((await other.verify(modelDir, { train: train() })).verdict).toBe("different");
  });

  test("whichever module an optimizer takes its parameters from, they are named by the whole model", async () => {
    let gan!: Gan;
    const ofPart = (part: "generator" | "discriminator") => () => gan[part].parameters();
    const [d, g] = [ofPart("discriminator"), ofPart("generator")];
    const optimizers = [
      { ...turns[0], optimizer: () => optim.adam(d(), { learningRate: 0.02, betas: [0.5, 0.9] }) },
      { ...turns[1], optimizer: () => optim.sgd(g(), { learningRate: 0.05, momentum: 0.9 }) },
    ];
    const model = () => {
      gan = new Gan();
      return gan;
    };
    const trainer = make({ model, optimizers });
    expect((await trainer.fit(train())).digest).toBe((await make().fit(train())).digest);
    const one = make({
      model,
      optimizers: undefined,
      optimizer: () => optim.sgd([...d(), ...g()], { learningRate: 0.05, momentum: 0.9 }),
    });
    const slots = one.variables().flatMap(([path]) => (path.startsWith("optimizer/") ? [path] : []));
    const names = new Gan().namedParameters().map(([path]) => `optimizer/momentum/${path}`);
    expect(slots.sort()).toEqual(names.sort());
  });

  test("OpProfiler times the first step, in which all optimizers are due, with that step's own numbers", async () => {
    const profiler = new OpProfiler();
    const whole = make({ callbacks: [profiler] });
    expect((await whole.fit(train())).digest).toBe((await make().fit(train())).digest);
    const plans = await make().explain(train());
    const kernels = (role: string) => plans.find((planned) => planned.role === role)!.plan.kernels.length;
    expect(profiler.profile).toHaveLength(kernels("train"));
    expect(kernels("train")).toBeGreaterThan(kernels("train/0"));
  });

  test("diff names the step, the graph that it is of and what differs", async () => {
    const finished = async (changes: Partial<TrainerOptions>) => {
      const rebuild: Rebuild = (own) => ({ trainer: make({ ...changes, ...own }), train: train() });
      const folder = join(temporaryFolder(), "run");
      const { trainer, train: loader } = rebuild({ modelDir: folder, checkpoint: null });
      await trainer.fit(loader!);
      return { folder, rebuild };
    };
    const compare = async (...changes: [Partial<TrainerOptions>, Partial<TrainerOptions>]) => {
      const [a, b] = [await finished(changes[0]), await finished(changes[1])];
      const found = await diffRuns(a.folder, b.folder, { rebuild: [a.rebuild, b.rebuild] });
      return { found, text: showDiff(found).join("\n") };
    };
    const frequency = await compare({}, { optimizers: [turns[0], { ...turns[1], frequency: 3 }] });
    expect(frequency.found).toMatchObject({ step: 3, roles: ["train", "train/0"] });
    expect(frequency.text).toContain("optimizers/1/frequency: 2 (40000000) | 3 (40400000)");
    expect(frequency.text).toContain("# replayed: step 3 is the first that differs, of graph train | train/0");
    const [steady, changed] = [0.02, 0.01].map((later) => {
      const schedulers = optim.piecewiseConstantLR({ learningRates: [0.02, later], milestones: [1] });
      return { optimizers: [{ ...turns[0], schedulers }, turns[1]] };
    });
    const rate = await compare(steady, changed);
    expect(rate.found).toMatchObject({ step: 2, roles: ["train/0", "train/0"], op: { kind: "input" } });
    expect(rate.text).toMatch(/step 2 is the first that differs, of graph train\/0\n.*scalar\//);
  });

  test("with accumulation and a dynamic loss scale each kind of step has its graph", async () => {
    const trainer = make({
      loop: { numSteps: 4, gradAccumSteps: 2 },
      precision: { enabled: true, fp16Type: "float16", lossScalingFactor: "dynamic", maxGradientNorm: 1 },
    });
    const run = await trainer.fit(train());
    expect(run.history["loss/generator"].steps).toEqual([1, 2, 3, 4]);
    expect(Object.keys(trainer.graphs)).toEqual(expect.arrayContaining(["train", "train/0"]));
    expect((await trainer.explain(train())).map(({ role }) => role)).toEqual(expect.arrayContaining(["train/0"]));
  });
});

test("one optimizer of all parameters beside `optimizers` is the run that `optimizer` makes", async () => {
  const plain = { loss: (x: Tensor) => x.square().mean(), model: () => nn.linear(2, 1), precision: {} };
  const adam = (model: nn.Module) => optim.adam(model.parameters(), { learningRate: 0.1 });
  const one = await make({ ...plain, optimizers: undefined, optimizer: adam }).fit(train());
  const several = await make({ ...plain, optimizers: [{ optimizer: adam, parameters: "*" }] }).fit(train());
  expect([several.digest, several.graphHash]).toEqual([one.digest, one.graphHash]);
});

describe("what is refused", () => {
  const [first, second] = turns;
  test.each([
    [
      "two optimizers of a parameter",
      [first, { ...second, parameters: "*" }],
      /discriminator\.0\.weight: a parameter of two optimizers/,
    ],
    ["a parameter of none", [first], /generator\.0\.weight: a parameter of no optimizer/],
    [
      "a glob of nothing",
      [first, { ...second, parameters: "gen.*" }],
      /optimizers\[1\]\.parameters: a glob that matches nothing/,
    ],
    ["no frequency of 1", [{ ...first, frequency: 2 }, second], /at most steps no optimizer is due/],
    ["a frequency of 0", [first, { ...second, frequency: 0 }], /frequency.*an integer ≥ 1/],
    ["none", [], /at least one optimizer/],
    ["an unknown key", [first, { ...second, every: 2 }], /every/],
    [
      "a finished optimizer",
      [first, { ...second, optimizer: optim.sgd(nn.linear(1, 1).parameters(), { learningRate: 1 }) }],
      /optimizers\[1\]\.optimizer/,
    ],
    [
      "parameters beyond its own",
      [first, { ...second, optimizer: () => optim.sgd(nn.linear(1, 1).parameters(), { learningRate: 1 }) }],
      /isn't the model's/,
    ],
  ])("%s", (_what, optimizers, message) => {
    const making = () => make({ optimizers: optimizers as TrainerOptions["optimizers"] });
    expect(making).toThrow(ConfigError);
    expect(making).toThrow(message);
  });

  test("both forms, and schedulers of neither", () => {
    const optimizer = (model: nn.Module) => optim.sgd(model.parameters(), { learningRate: 1 });
    expect(() => make({ optimizer })).toThrow(/optimizer: optimizers are given too/);
    expect(() => make({ schedulers: optim.constantLR({ learningRate: 1 }) })).toThrow(
      /schedulers: optimizers are given/,
    );
  });

  test("a loss that the model doesn't return", async () => {
    await expect(make({ optimizers: [first, { ...second, minimizes: "gen" }] }).fit(train())).rejects.toThrow(
      /no loss of the name that an optimizer minimises: got gen, expected one of generator, discriminator/,
    );
  });
});
