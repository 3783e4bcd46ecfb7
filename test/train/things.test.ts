// Whatever a config may name is one file: a function or class, and a record of its options. Here is one of each kind; constructor, YAML, JSON Schema and `seedgrad list` follow from
// the record.
import { describe, expect, test } from "vitest";
import { list } from "../../src/cli/list.ts";
import { configured } from "../../src/core/configured.ts";
import {
  count,
  countOf,
  fraction,
  type Given,
  nonNegative,
  options,
  positive,
  type Read,
} from "../../src/core/options.ts";
import { factory, maker, named, type Thing } from "../../src/core/things.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { linear } from "../../src/nn/linear.ts";
import { lossOf } from "../../src/nn/losses/loss.ts";
import { mse } from "../../src/nn/losses.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import { readOptions } from "../../src/optim/arguments.ts";
import { groupsFields, optimizerOf } from "../../src/optim/groups.ts";
import {
  Optimizer,
  optimizerFields,
  type ParametersOrGroups,
  type Update,
  zeroSlots,
} from "../../src/optim/optimizer.ts";
import { closedForm, learningRate } from "../../src/optim/schedules/schedule.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import {
  callbacks,
  loaderFields,
  loaderOf,
  loaders,
  loggers,
  losses,
  metrics,
  models,
  optimizers,
  schedulers,
} from "../../src/train/config/families.ts";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { register } from "../../src/train/config/register.ts";
import type { Callback, FitContext, Logger } from "../../src/train/contract.ts";
import type { Metrics } from "../../src/train/run.ts";

const record = options("SignOfLife", {
  ...optimizerFields,
  /** How long it waits. */
  patience: countOf("steps").default(3),
  shrink: nonNegative,
});

class SignOfLife extends Optimizer {
  readonly read: Read<typeof record>;

  constructor(parameters: ParametersOrGroups, given: Given<typeof record>) {
    const read = readOptions("signOfLife", record, given, arguments);
    super("signOfLife", parameters, { slots: zeroSlots(), decay: "decoupled" }, read);
    this.read = read;
  }

  protected override rule({ parameter, gradient }: Update) {
    return { parameter: parameter.sub(gradient), slots: {} };
  }
}

const signOfLife = maker(record, SignOfLife);
const halving = learningRate(
  closedForm("Halving", { initialVal: nonNegative, every: countOf("steps").default(10) }, ({ initialVal }) => ({
    at: (step) => (step === 0 ? initialVal : initialVal / 2),
    totalIters: Number.POSITIVE_INFINITY,
  })),
);
const tempered = lossOf(
  options("tempered", "losses.tempered", { temperature: positive.default(2), floor: fraction }),
  (outputs, batch, { temperature }) => mse(outputs, batch).div(temperature),
);
const patient = factory(options("patient", { lookback: count.default(2), grace: count }), ({ lookback }) => ({
  ...accuracy(),
  name: `patient_${lookback}`,
}));
const seen: unknown[] = [];
class Witness extends configured(options("Witness", { every: count.default(2), upTo: count })) implements Callback {
  readonly changesTraining = false;

  onTrainStart({ totalSteps }: FitContext): void {
    seen.push([this.name, this.options, totalSteps]);
  }
}
class EarLogger
  extends configured(options("EarLogger", { volume: fraction.default(0.5), ears: count }))
  implements Logger
{
  logMetrics(_metrics: Metrics, step: number): void {
    seen.push([this.options.volume, step]);
  }
}
const ramp = named(
  options("ramp", { samples: count.default(8), slope: positive }),
  (samples: number, slope: number) =>
    arrayDataset("ramp", {
      inputs: {
        data: Float32Array.from({ length: samples }, (_, i) => slope * i),
        shape: [samples, 1],
        dtype: "float32",
      },
      targets: { data: new Float32Array(samples), shape: [samples, 1], dtype: "float32" },
    }),
  ({ samples, slope }) => ramp(samples, slope),
) as (samples: number, slope: number) => ReturnType<typeof arrayDataset>;
const line = factory(options("line", "nn.line", { inputs: count.default(1), outputs: count }), ({ inputs, outputs }) =>
  linear(inputs, outputs),
);

// As the catalogs in train/config/families.ts take what is in a folder's index.
const thing = (value: unknown) => [value as Thing];
optimizers.addThings(thing(signOfLife), optimizerOf as never, groupsFields);
schedulers.addThings(thing(halving));
losses.addThings(thing(tempered));
metrics.addThings(thing(patient));
callbacks.addThings(thing(Witness));
loggers.addThings(thing(EarLogger));
models.addThings(thing(line));
loaders.addThings(thing(ramp), loaderOf, loaderFields);

const yaml = (changes: Readonly<Record<string, string>> = {}) => {
  const {
    model = "{name: line, outputs: 1}",
    loss = "{tempered: {floor: 0}}",
    metric = "{patient: {grace: 1}}",
    optimizer = "{SignOfLife: {learning_rate: 0.1, shrink: 2}}",
    scheduler = "{HalvingLR: {initial_learning_rate: 1}}",
    callback = "{Witness: {up_to: 1}}",
    logger = "{EarLogger: {ears: 2}}",
    loader = "{name: ramp, slope: 1, batch_size: 4}",
  } = changes;
  return `trainer:
  init:
    seed: 1
    model: ${model}
    loss: ${loss}
    metrics: [${metric}]
    optimizer: ${optimizer}
    schedulers: [${scheduler}]
    callbacks: [${callback}]
    loggers: [${logger}, ProgressLogger: null, CSVLogger: null, JSONLLogger: null, ReportLogger: null]
    loop: {num_steps: 2}
    logging: {log_steps: 1}
    checkpoint: null
    backend: reference
  fit:
    train_dataloader: ${loader}
`;
};
const parse = (changes?: Readonly<Record<string, string>>) => parseConfig(yaml(changes), "thing.yaml");

describe("the constructor checks by the record, and reads its defaults", () => {
  const parameters = () => linear(2, 3).parameters();

  test("an optimizer's and a schedule's", () => {
    expect(signOfLife(parameters(), { learningRate: 0.1, shrink: 2 }).read).toMatchObject({ patience: 3, shrink: 2 });
    expect(() => signOfLife(parameters(), { learningRate: 0.1, shrink: 2, patience: 0 })).toThrow(
      "signOfLife.patience: not a number of steps: got 0, expected an integer ≥ 1",
    );
    expect(() => signOfLife(parameters(), { learningRate: 0.1 } as never)).toThrow("shrink: missing");
    expect(() => signOfLife(parameters(), { learningRate: 0.1, shrink: 2, shrinks: 2 } as never)).toThrow(
      /did you mean/i,
    );
    expect(() => halving({ initialLearningRate: -1 })).toThrow(/initialLearningRate/);
  });

  test("a class's and a function's", () => {
    expect(new Witness({ upTo: 3 }).options).toEqual({ every: 2, upTo: 3 });
    expect(new EarLogger({ ears: 1, volume: 0 })).toMatchObject({ name: "EarLogger", options: { volume: 0, ears: 1 } });
    expect(patient({ grace: 1 }).name).toBe("patient_2");
    expect(String(line({ outputs: 2 }))).toContain("1 → 2");
    const x = linear(1, 1).weight;
    for (const [make, message] of [
      [() => new Witness({ upTo: 0 }), "Witness.upTo: not a number of things: got 0, expected an integer ≥ 1"],
      [
        () => new (Witness as never as new (...given: unknown[]) => unknown)({ upTo: 1 }, 2),
        "Witness: too many arguments",
      ],
      [() => new EarLogger({ ears: 1, volume: 1 }), "EarLogger.volume: a number out of range: got 1"],
      [() => tempered(x, x, { temperature: 1 } as never), "losses.tempered.floor: missing"],
      [() => patient({ grace: 1, lookbak: 1 } as never), "did you mean lookback?"],
      [() => line({} as never), "nn.line.outputs: missing"],
    ] as const)
      expect(make).toThrow(message);
  });
});

test("YAML takes each, with its defaults, and trains with it", async () => {
  const { init, fit } = parse().trainer;
  expect(init.model).toEqual({ name: "line", inputs: 1, outputs: 1 });
  expect(init.loss).toEqual({ class: "tempered", temperature: 2, floor: 0 });
  expect(init.metrics).toEqual([{ class: "patient", lookback: 2, grace: 1 }]);
  expect(init.optimizer).toMatchObject({ class: "SignOfLife", patience: 3, groups: [] });
  expect(init.schedulers).toMatchObject([{ class: "HalvingLR", every: 10 }]);
  expect(init.callbacks[1]).toEqual({ class: "Witness", every: 2, upTo: 1 });
  expect(init.loggers).toEqual([{ class: "EarLogger", volume: 0.5, ears: 2 }]);
  expect(fit!.trainDataloader).toEqual({ name: "ramp", samples: 8, slope: 1, batchSize: 4 });
  const { trainer, train } = buildTrainer(parse(), { modelDir: undefined });
  await trainer.fit(train!);
  expect(seen).toContainEqual(["Witness", { every: 2, upTo: 1 }, 2]);
  expect(seen).toContainEqual([0.5, 2]);
});

test.each([
  ["model", "{name: line, outputs: 0}", 4, /outputs.*an integer ≥ 1/],
  ["loss", "{tempered: {floor: 1}}", 5, /floor.*a number in \[0, 1\)/],
  ["metric", "{patient: {grace: 1, lookbak: 1}}", 6, /lookbak.*did you mean lookback/s],
  ["optimizer", "{SignOfLife: {learning_rate: 0.1, shrink: 2, patience: 0}}", 7, /patience.*an integer ≥ 1/],
  ["scheduler", "{HalvingLR: {initial_learning_rate: -1}}", 8, /initial_learning_rate.*a number ≥ 0/],
  ["callback", "{Witness: {every: 1}}", 9, /up_to.*missing/],
  ["logger", "{EarLogger: {ears: many}}", 10, /ears.*an integer ≥ 1/],
  ["loader", "{name: ramp, slope: 0, batch_size: 4}", 16, /slope.*a number > 0/],
])("what is wrong in a %s is said with its place", (kind, text, at, message) => {
  expect(() => parse({ [kind]: text })).toThrow(message);
  expect(() => parse({ [kind]: text })).toThrow(new RegExp(`^thing\\.yaml:${at}:\\d+: `));
});

test("a record checks what a program registers, too", () => {
  register(
    "loss",
    "scaled",
    ({ by }) =>
      (outputs, batch) =>
        mse(outputs, batch).mul(by as number),
    options("scaled", { by: positive }),
  );
  expect(parse({ loss: "{scaled: {by: 2}}" }).trainer.init.loss).toEqual({ class: "scaled", by: 2 });
  expect(() => parse({ loss: "{scaled: {by: 0}}" })).toThrow(/^thing\.yaml:5:\d+: .*by.*a number > 0/);
});

test("the JSON Schema and `seedgrad list` have each, with its options", async () => {
  const schema = JSON.stringify(configJsonSchema());
  for (const [family, name, key] of [
    ["models", "line", "outputs"],
    ["losses", "tempered", "temperature"],
    ["metrics", "patient", "lookback"],
    ["optimizers", "SignOfLife", "shrink"],
    ["schedulers", "HalvingLR", "initial_learning_rate"],
    ["callbacks", "Witness", "up_to"],
    ["loggers", "EarLogger", "volume"],
    ["dataloaders", "ramp", "slope"],
  ]) {
    expect(schema).toContain(`"${name}"`);
    expect(schema).toContain(`"${key}"`);
    const { lines } = await list(family, name, {});
    expect(lines.join("\n")).toMatch(new RegExp(`^${key} +`, "m"));
  }
});
