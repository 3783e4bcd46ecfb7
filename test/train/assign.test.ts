// Assignments to a config: `--set KEY=VALUE` on the command line, `set` in code. The same keys, checks and messages as in the file.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { configHash, parseConfig, parsePhases } from "../../src/train/config/parse.ts";

const text = `trainer:
  init:
    seed: 1234
    model: {name: mlp, sizes: [784, 2]}
    loss: cross_entropy
    optimizer: {AdamW: {lr: 0.003, weight_decay: 0.01}}
    schedulers:
      - LinearLR: {initial_learning_rate: 0.01, end_learning_rate: 0.001, total_iters: 10}
    loop: {num_steps: 2}
  fit:
    train_dataloader: {name: mnist, split: train, batch_size: 4}
`;
const init = (...set: string[]) => parseConfig(text, "a.yaml", { set }).trainer.init;
const whole = (...set: string[]) => parseConfig(text, "a.yaml", { set });

function failure(...set: string[]): ConfigError {
  try {
    whole(...set);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("no error");
}

describe("an assignment", () => {
  test("replaces a value, and is as if the file said it", () => {
    const changed = whole("trainer.init.optimizer.AdamW.weight_decay=0.5");
    expect(changed.trainer.init.optimizer).toMatchObject({ class: "AdamW", learningRate: 0.003, weightDecay: 0.5 });
    const written = parseConfig(text.replace("weight_decay: 0.01", "weight_decay: 0.5"), "a.yaml");
    expect(changed).toEqual(written);
    expect(configHash(changed)).toBe(configHash(written));
    expect(configHash(changed)).not.toBe(configHash(whole()));
  });

  test("adds a key, and a map on the way", () => {
    expect(init("trainer.init.checkpoint.steps=7").checkpoint).toMatchObject({ steps: 7 });
    expect(whole("trainer.fit.train_dataloader.shuffle=true").trainer.fit!.trainDataloader).toMatchObject({
      shuffle: true,
    });
  });

  test("takes any YAML, and replaces whole maps and lists", () => {
    expect(init("trainer.init.optimizer={SGD: {learning_rate: 1e-2, momentum: 0.9}}").optimizer).toMatchObject({
      class: "SGD",
      learningRate: 0.01,
      momentum: 0.9,
    });
    expect(init("trainer.init.schedulers=[]").schedulers).toEqual([]);
    expect(init("trainer.init.model.sizes=[784, 16, 2]").model).toMatchObject({ sizes: [784, 16, 2] });
    expect(init("trainer.init.seed=18446744073709551615").seed).toBe(18446744073709551615n);
  });

  test("finds what the file writes otherwise: lr, a class of another case, a choice without options", () => {
    expect(init("trainer.init.optimizer.adamw.learning_rate=1").optimizer).toMatchObject({ learningRate: 1 });
    expect(init("trainer.init.loss.cross_entropy.label_smoothing=0.1").loss).toMatchObject({ labelSmoothing: 0.1 });
  });

  test("reaches an item of a list by its place, or by its name where one has it", () => {
    for (const item of ["schedulers[0].LinearLR", "schedulers.LinearLR", "schedulers.linearlr"]) {
      expect(init(`trainer.init.${item}.total_iters=99`).schedulers).toMatchObject([{ totalIters: 99 }]);
    }
  });

  test("the last of two counts, and what is given by name comes after all", () => {
    expect(init("trainer.init.seed=1", "trainer.init.seed=2").seed).toBe(2);
    const set = ["trainer.init.seed=1", "trainer.init.backend=reference"];
    expect(parseConfig(text, "a.yaml", { set, seed: 3n }).trainer.init).toMatchObject({
      seed: 3n,
      backend: "reference",
    });
  });

  test("is typed by the key: a number where a text is wanted is that text", () => {
    expect(init("trainer.init.model_dir=2024").modelDir).toBe("2024");
    expect(init("trainer.init.model_dir=true", "trainer.init.seed=5")).toMatchObject({ modelDir: "true", seed: 5 });
    expect(init(`trainer.init.model_dir="null"`).modelDir).toBe("null");
  });

  test("of one phase of several", () => {
    const [first, second] = parsePhases(
      text.replace("trainer:\n  init", "trainer:\n- init").replaceAll("\n  fit", "\n  fit") +
        text.split("\n").slice(1).join("\n").replace("  init", "- init"),
      "a.yaml",
      { set: ["trainer[1].init.seed=9"] },
    );
    expect([first.trainer.init.seed, second.trainer.init.seed]).toEqual([1234, 9]);
  });
});

describe("a bad assignment", () => {
  test.each<[string, RegExp]>([
    ["trainer.init.seed", /--set: not an assignment: got "trainer.init.seed", expected KEY=VALUE/],
    ["=3", /not an assignment/],
    ["trainer..seed=3", /not an assignment/],
    ["trainer.init.__proto__.x=3", /not an assignment/],
    ["trainer.init.seed=[", /^--set trainer.init.seed:1:\d+: .*not valid YAML/],
    ["trainer.init.sead=3", /^--set trainer.init.sead:1:1: .*unknown key.*(\n|.)*did you mean seed/i],
    ["trainer.init.optimizer.AdamW.learning_rte=3", /^--set .*unknown key(\n|.)*did you mean learning_rate/i],
    [
      "trainer.init.optimizer.AdamW.weight_decay=-1",
      /^--set .*:1:1: trainer.init.optimizer.AdamW.weight_decay: not a value/,
    ],
    ["trainer.init.optimizer.AdamW.weight_decay=much", /^--set .*got "much"/],
    ["trainer.init.optimizer.SGD.learning_rate=1", /not one choice of class/],
    ["trainer.init.seed=0x10", /^--set trainer.init.seed:1:1: .*decimal digits/],
    ["trainer.init.seed.x=1", /^--set trainer.init.seed.x:1:1: trainer.init.seed.x: not a map of keys: got 1234/],
    ["trainer.init.seed[0]=1", /not a list: got 1234/],
    [
      "trainer.init.schedulers[1].LinearLR.total_iters=9",
      /no such item of the list: got a list, expected \[0\] to \[0\]/,
    ],
    ["trainer.init.schedulers.CosineDecayLR.total_iters=9", /no such item of the list/],
    ["trainer.init.model.sizes[9]=3", /no such item/],
    ["imports=[./a.js]", /--set imports: .*(\n|.)*--import/],
    ["trainer.init.model_dir=null", /^--set trainer.init.model_dir:1:1: .*got null, expected text/],
    ["trainer.init.model_dir=", /^--set trainer.init.model_dir:1:1: .*got null/],
    ["trainer.init.model.sizes=784", /^--set .*got 784/],
  ])("%s", (set, message) => {
    expect(failure(set).message).toMatch(message);
  });

  test("one key twice, by two names, or by its place and its name: which, and where the other is", () => {
    for (const [first, second] of [
      ["trainer.init.optimizer.AdamW.lr", "trainer.init.optimizer.AdamW.learning_rate"],
      ["trainer.init.optimizer.adamw.learning_rate", "trainer.init.optimizer.AdamW.learning_rate"],
      ["trainer.init.schedulers[0].LinearLR.total_iters", "trainer.init.schedulers.LinearLR.total_iters"],
    ]) {
      const { message, position } = failure(`${first}=1`, `${second}=2`);
      expect(message).toContain(`${second}: a key that is given twice: got ${first} before, at --set ${first}:1:1`);
      expect(position).toEqual({ file: `--set ${second}`, line: 1, column: 1 });
    }
  });

  test("a fault elsewhere keeps its place in the file", () => {
    const { position } = (() => {
      try {
        parseConfig(text.replace("num_steps: 2", "num_steps: -2"), "a.yaml", { set: ["trainer.init.seed=3"] });
      } catch (error) {
        return error as ConfigError;
      }
      throw new Error("no error");
    })();
    expect(position).toMatchObject({ file: "a.yaml", line: 9 });
  });
});
