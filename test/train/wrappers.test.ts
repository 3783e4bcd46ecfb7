// Optimizers around others in a config: nested records, their errors by place, assignments, and the same steps as in code.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import type * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { trainerOptions } from "../../src/train/config/build.ts";
import { configJsonSchema } from "../../src/train/config/json-schema.ts";
import { configToYaml, parseConfig } from "../../src/train/config/parse.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

const text = `trainer:
  init:
    seed: 7
    model: {name: mlp, sizes: [4, 8, 2]}
    optimizer:
      Lookahead:
        optimizer:
          sam:
            rho: 0.1
            optimizer:
              AdamW: {lr: 0.01, groups: [{parameters: "*.bias", learning_rate: 0.02}]}
        every: 3
    loop: {num_steps: 8}
`;
const parse = (source = text, ...set: string[]) => parseConfig(source, "a.yaml", { set });

describe("a nested optimizer", () => {
  test("is read with its defaults, and written back", () => {
    const config = parse();
    expect(config.trainer.init.optimizer).toMatchObject({
      class: "Lookahead",
      every: 3,
      alpha: 0.5,
      optimizer: { class: "SAM", rho: 0.1, adaptive: false, optimizer: { class: "AdamW", learningRate: 0.01 } },
    });
    expect(parseConfig(configToYaml(config), "a.yaml")).toEqual(config);
  });

  test("takes the steps that it takes in code, groups included", async () => {
    const { optimizer } = trainerOptions(parse());
    const inCode = (model: nn.Module) => {
      const groups = optim.parameterGroups(model.parameters(), [{ parameters: "*.bias", learningRate: 0.02 }]);
      return optim.lookahead(optim.sam(optim.adamW(groups, { learningRate: 0.01 }), { rho: 0.1 }), { every: 3 });
    };
    const digests = [];
    for (const each of [optimizer, inCode])
      digests.push((await toyTrainer({ optimizer: each, loop: { numSteps: 8 } }).fit(toyTrain())).digest);
    expect(digests[0]).toBe(digests[1]);
  });

  test("is assigned to by its path, however deep", () => {
    const path = "trainer.init.optimizer.Lookahead.optimizer.SAM.optimizer.AdamW.learning_rate";
    const inner = { optimizer: { optimizer: { learningRate: 0.5 } } };
    expect(parse(text, `${path}=0.5`).trainer.init.optimizer).toMatchObject(inner);
    expect(
      parse(text, "trainer.init.optimizer.Lookahead.optimizer={SGD: {learning_rate: 1}}").trainer.init.optimizer,
    ).toMatchObject({ optimizer: { class: "SGD", learningRate: 1 } });
    expect(() => parse(text, `${path}=-1`)).toThrow(
      /^--set .*AdamW\.learning_rate:1:1: .*\.sam\.optimizer\.AdamW\.lr: .* got -1, expected a number ≥ 0/,
    );
  });

  test.each([
    ["rho: 0.1", "rho: -1", /^a\.yaml:9:18: trainer\.init\.optimizer\.Lookahead\.optimizer\.sam\.rho: .*got -1/],
    ["lr: 0.01", "lrr: 0.01", /^a\.yaml:11:23: .*\.sam\.optimizer\.AdamW\.lrr: unknown key/],
    ["AdamW: {", "AdamV: {", /^a\.yaml:11:15: .*\.AdamV: unknown class.*\n.*did you mean Adam/],
    ["lr: 0.01, ", "", /^a\.yaml:11:22: .*learning_rate: a required key is missing/],
    ["        every: 3", "        groups: []", /^a\.yaml:12:9: .*Lookahead\.groups: unknown key/],
    ['"*.bias"', "3", /^a\.yaml:11:55: .*groups\[0\]\.parameters/],
  ])("%s → %s is an error at its place", (from, to, message) => {
    expect(text).toContain(from);
    const wrong = () => parse(text.replace(from, to));
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(message);
  });

  test("is in the JSON Schema as the optimizer itself is", () => {
    const schema = configJsonSchema() as unknown as {
      $defs: Record<
        string,
        { properties?: Record<string, { properties?: Record<string, unknown>; required?: string[] }> }
      >;
    };
    const [[ref, choice]] = Object.entries(schema.$defs).filter(([, { properties = {} }]) => "Lookahead" in properties);
    for (const name of ["Lookahead", "SAM"]) {
      expect(choice.properties![name].properties!.optimizer).toMatchObject({ $ref: `#/$defs/${ref}` });
      expect(choice.properties![name].required).toEqual(["optimizer"]);
    }
  });
});
