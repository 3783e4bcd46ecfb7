// An optimizer or a schedule is one file: a record of options beside what it makes. Constructor, YAML and JSON Schema follow from the record.
import { expect, test } from "vitest";
import { countOf, type Given, nonNegative, options, type Read } from "../../src/core/options.ts";
import { maker } from "../../src/core/things.ts";
import { linear } from "../../src/nn/linear.ts";
import { readOptions } from "../../src/optim/arguments.ts";
import {
  Optimizer,
  optimizerFields,
  type ParametersOrGroups,
  type Update,
  zeroSlots,
} from "../../src/optim/optimizer.ts";
import type { Schedule } from "../../src/optim/schedules/index.ts";
import { closedForm, learningRate } from "../../src/optim/schedules/schedule.ts";
import { optimizers, schedulers } from "../../src/train/config/families.ts";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { parseConfig } from "../../src/train/config/parse.ts";

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
optimizers.addThings([signOfLife as never], (make: typeof signOfLife, given: Given<typeof record>, model) =>
  make(model.parameters(), given),
);
schedulers.addThings([halving as never], (make: (given: object) => Schedule, given: object) => make(given));

const config = (optimizer: string, schedulersText = "") =>
  parseConfig(
    `trainer:
  init:
    seed: 1
    model: {name: mlp, sizes: [784, 2]}
    loss: cross_entropy
    optimizer: ${optimizer}
    loop: {num_steps: 2}
${schedulersText}  fit:
    train_dataloader: {name: mnist, split: train, batch_size: 4}
`,
    "thing.yaml",
  );

test("the constructor checks by the record, and reads its defaults", () => {
  const parameters = linear(2, 3).parameters();
  expect(signOfLife(parameters, { learningRate: 0.1, shrink: 2 }).read).toMatchObject({ patience: 3, shrink: 2 });
  expect(() => signOfLife(parameters, { learningRate: 0.1, shrink: 2, patience: 0 })).toThrow(
    "signOfLife.patience: not a number of steps: got 0, expected an integer ≥ 1",
  );
  expect(() => signOfLife(parameters, { learningRate: 0.1 } as never)).toThrow("shrink: missing");
  expect(() => signOfLife(parameters, { learningRate: 0.1, shrink: 2, shrinks: 2 } as never)).toThrow(/did you mean/i);
  expect(() => halving({ initialLearningRate: -1 })).toThrow(/initialLearningRate/);
});

test("YAML takes it, with the place of what is wrong", () => {
  expect(config("{SignOfLife: {learning_rate: 0.1, shrink: 2}}").trainer.init.optimizer).toMatchObject({
    class: "SignOfLife",
    patience: 3,
  });
  expect(() => config("{SignOfLife: {learning_rate: 0.1, shrink: 2, patience: 0}}")).toThrow(
    /thing\.yaml:6:\d+: .*patience.*an integer ≥ 1/,
  );
  const scheduled = config(
    "{SGD: {learning_rate: 0.1}}",
    "    schedulers: [{HalvingLR: {initial_learning_rate: 1}}]\n",
  );
  expect(scheduled.trainer.init.schedulers).toMatchObject([{ class: "HalvingLR", every: 10 }]);
});

test("the JSON Schema has it", () => {
  const text = JSON.stringify(configJsonSchema());
  for (const name of ["SignOfLife", "shrink", "HalvingLR"]) expect(text).toContain(`"${name}"`);
});
