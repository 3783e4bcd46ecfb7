// Jobs as pure data: what a machine that gets one checks before it trains.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importPrograms } from "../../src/cli/imports.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { checkOrder } from "../../src/sweep/check.ts";
import { checkJob, configFor, jobsOf } from "../../src/sweep/job.ts";
import { configHash, parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { shortConfig } from "../support/jobs.ts";
import { root } from "../support/sources.ts";

const config = shortConfig({ steps: 4, every: 2 });
const name = configHash(parseConfig(config, "short.yaml")).slice(0, 16);
const [job] = jobsOf([{ name, config }]);

const table = "c55e768b88f571b169557945e8febdbb37de8a4d9b0353b4ea8e672cb26e8757";

describe("a job", () => {
  test("is the resolved config, the data's digests and the numerics id, and survives JSON", () => {
    expect(Object.keys(job).sort()).toEqual(["config", "data", "format", "name", "numericsId"]);
    expect(job.numericsId).toBe(numericsId);
    expect(job.data.map(({ "penguins.json/table": table }) => table)).toEqual([table, table]);
    expect(checkJob("queue", JSON.parse(JSON.stringify(job)))).toEqual(job);
    const { trainer } = configFor(job, "elsewhere", []);
    expect(trainer.init.modelDir).toBe("elsewhere");
    expect(configHash({ trainer })).toBe(configHash(parseConfig(config, "short.yaml")));
  });

  test.each([
    ["name", "../../etc"],
    ["name", "0123456789ABCDEF"],
    ["format", 2],
    ["config", 3],
    ["data", [{ x: "short" }]],
    ["imports", { "./a.mjs": 1 }],
  ])("whose %s is %s is none", (field, value) => {
    expect(() => checkJob("queue: run-1", { ...job, [field]: value })).toThrow(CheckpointError);
    expect(() => checkJob("queue: run-1", { ...job, [field]: value })).toThrow(`queue: run-1: ${field}`);
  });

  test("of other data, other numerics, or data that aren't here, says why it is another's", () => {
    const [train, ...others] = job.data;
    const has = (changes: object) => () => configFor({ ...job, ...changes }, "elsewhere", []);
    expect(has({ numericsId: "seedgrad-numerics/0" })).toThrow(
      `its numerics id is ${numericsId}, the job's is seedgrad-numerics/0`,
    );
    expect(has({ data: [{ "penguins.json/table": "0".repeat(64) }, ...others] })).toThrow(
      /^it has another penguins\.json\/table: SHA-256 /,
    );
    expect(has({ data: [{ ...train, "vega/cars": "0".repeat(64) }, ...others] })).toThrow("it has no vega/cars");
    const csv = "{name: csv, file: nowhere/points.csv, target: y, batch_size: 4}";
    const moved = job.config.replace(/train_dataloader:[\s\S]*$/, `train_dataloader: ${csv}\n`);
    expect(has({ config: moved, data: [{ "points.csv": "0".repeat(64) }] })).toThrow(
      /^it lacks the data: .*nowhere\/points\.csv/,
    );
  });

  test("whose config names programs runs them only where they were given, by content", async () => {
    const program = join(temporaryFolder(), "own.mts");
    writeFileSync(
      program,
      `import { nn, register } from "${root}src/index.ts";\nregister("model", "job_own", () => nn.linear(9, 3));\n`,
    );
    await importPrograms([program]);
    const own = config
      .replace("{name: mlp, sizes: [9, 16, 3], dropout: 0.1}", "{name: job_own}")
      .replace(/^/, `imports: ["${program}"]\n`);
    const [named] = jobsOf([{ name, config: own }]);
    expect(Object.values(named.imports!)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(() => configFor(named, "elsewhere", [])).toThrow(
      /it has no program .*own\.mts, SHA-256 [0-9a-f]{64}: --import PATH/,
    );
    expect(configFor(named, "elsewhere", [program]).imports).toEqual([program]);
  });
});

describe("a check", () => {
  const order = { format: 1, job, task: { type: "replay" }, except: ["a"] };
  const sides = [1, 2].map((digit) => ({ by: `runner-${digit}`, key: String(digit).repeat(64) }));

  test.each([
    { type: "replay", steps: 3 },
    { type: "values", step: 3, from: 0 },
    { type: "prove", step: 3, from: 0, value: 7 },
    { type: "settle", step: 3, from: 2, sides },
  ])("$type", (task) => {
    const whole = { ...order, task };
    expect(checkOrder("queue", JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });

  test.each([
    { type: "replay", steps: 0 },
    { type: "toString" },
    { type: "values", step: 0, from: 0 },
    { type: "prove", step: 3, from: 0 },
    { type: "settle", step: 3, from: 2, sides: sides.slice(1) },
    undefined,
  ])("%j is none", (task) => {
    expect(() => checkOrder("queue: replay-1", { ...order, task })).toThrow(
      /queue: replay-1: task: not what a check holds/,
    );
  });

  test("is of a job", () => {
    expect(() => checkOrder("queue: replay-1", { ...order, job: { ...job, name: "x" } })).toThrow(
      "queue: replay-1: job: name",
    );
    expect(() => checkOrder("queue: replay-1", { ...order, except: "a" })).toThrow("queue: replay-1: except");
  });
});
