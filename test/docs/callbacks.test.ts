// docs/callbacks.md: every callback and logger that a config may name stands there with its keys, and each example is run. What is said to watch
// leaves the run as it is; what is said to change training does.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { trainerOptions } from "../../src/train/config/build.ts";
import { callbacks, loggers } from "../../src/train/config/families.ts";
import { toCamel, toSnake } from "../../src/train/config/form.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Run } from "../../src/train/run.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";
import { hookLoop, hookRows } from "../support/hook-table.ts";
import { root } from "../support/sources.ts";
import { toyTest, toyTrain } from "../support/toy.ts";

const page = readFileSync(`${root}docs/callbacks.md`, "utf8");
type Entry = Record<string, Record<string, unknown>>;
const nameOf = (entry: Entry) => Object.keys(entry)[0];
const examples = (kind: string): Entry[] =>
  [...page.matchAll(new RegExp(`^\`\`\`yaml ${kind}\\n([\\s\\S]*?)^\`\`\``, "gm"))].flatMap(([, text]) => parse(text));
const [watching, changing] = [
  page.indexOf("## Callbacks that watch"),
  page.indexOf("## Callbacks that change training"),
];
const rowOf = (name: string): { text: string; at: number } => {
  const at = page.indexOf(`\n| ${name} |`);
  if (at < 0) throw new Error(`no row of ${name}`);
  return { text: page.slice(at + 1, page.indexOf("\n", at + 1)), at };
};

/** A run of the toy data under a config with these choices. JSON is YAML. */
function trainerOf(choices: Record<string, unknown>, modelDir = temporaryFolder()): Trainer {
  const init = {
    seed: 1234,
    model_dir: modelDir,
    model: { name: "mlp", sizes: [4, 8, 2] },
    loss: "cross_entropy",
    metrics: ["accuracy"],
    optimizer: { AdamW: { learning_rate: 0.01 } },
    loop: { num_steps: 5, eval_frequency: 2 },
    checkpoint: { steps: 2 },
    logging: { log_level: "silent", log_steps: 2 },
    loggers: loggers.names.map((name) => ({ [name]: name === "TensorBoardLogger" ? {} : null })),
    ...choices,
  };
  return new Trainer(trainerOptions(parseConfig(JSON.stringify({ trainer: { init } }), "docs.yaml")));
}
const run = (choices: Record<string, unknown>, modelDir?: string): Promise<Run> =>
  trainerOf(choices, modelDir).fit(toyTrain(), toyTest());
const facts = ({ digest, graphHash, streamPosition, steps }: Run) => ({ digest, graphHash, streamPosition, steps });

let first: Promise<Run> | undefined;
/** The run with nothing but CheckLoss. */
const plain = (): Promise<Run> => {
  first ??= run({});
  return first;
};

describe("callbacks", () => {
  const given = examples("callbacks");

  test("each one has a row and an example", () => {
    const named = [...[...given, ...examples("samples")].map(nameOf), "LoadCheckpointStates"].sort();
    expect(named).toEqual([...callbacks.names].sort());
  });

  test.each(given.map((entry) => [nameOf(entry), entry] as const))("%s", async (name, entry) => {
    const callback = callbacks.make({ class: name, ...camel(entry[name]) } as never);
    const { text, at } = rowOf(name);
    expect(at > changing).toBe(callback.changesTraining === true);
    expect(at).toBeGreaterThan(watching);
    for (const key of Object.keys(entry[name])) expect(text).toContain(`\`${key}\``);
    const made = await run({ callbacks: [entry] });
    if (callback.changesTraining) expect(made.digest).not.toBe((await plain()).digest);
    else expect(facts(made)).toEqual(facts(await plain()));
  });

  test("all that watch, together, on wasm with threads: the same run", async () => {
    const watchers = given.filter((entry) => rowOf(nameOf(entry)).at < changing);
    const loggersOn = loggers.names.filter((name) => name !== "ProgressLogger").map((name) => ({ [name]: {} }));
    const all = await run({
      callbacks: watchers,
      loggers: [...loggersOn, { ProgressLogger: null }],
      backend: "wasm",
      threads: 2,
    });
    expect(facts(all)).toEqual(facts(await plain()));
  });

  test("every key of the schema is in its row", () => {
    for (const name of callbacks.names) {
      const { text } = rowOf(name);
      for (const key of keysOf(name)) expect(`${name}: ${text}`).toContain(`\`${toSnake(key)}\``);
    }
  });
});

describe("loggers", () => {
  test("each one has a row and an example, and takes no key", () => {
    expect(examples("loggers").map(nameOf)).toEqual(expect.arrayContaining([...loggers.names]));
    for (const name of loggers.names) expect(rowOf(name).at).toBeGreaterThan(page.indexOf("## Loggers"));
  });

  test.each(examples("loggers").map((entry) => [nameOf(entry), entry] as const))(
    "%s writes what its row says",
    async (name, entry) => {
      const modelDir = temporaryFolder();
      const off = loggers.names.filter((other) => other !== name && other !== "TensorBoardLogger");
      const quiet = name === "ProgressLogger";
      const stderr = process.stderr.write;
      if (quiet) process.stderr.write = () => true;
      try {
        const made = await run({ loggers: [entry, ...off.map((other) => ({ [other]: null }))] }, modelDir);
        expect(facts(made)).toEqual(facts(await plain()));
      } finally {
        process.stderr.write = stderr;
      }
      const file = rowOf(name).text.match(/^\| \w+ \| `([^`]+)`/)?.[1];
      if (file) expect(existsSync(`${modelDir}/${file}`)).toBe(true);
      else expect(quiet).toBe(true);
    },
  );
});

test.each([
  [{ callbacks: [{ EarlyStoping: {} }] }, /did you mean EarlyStopping/],
  [{ callbacks: [{ EarlyStopping: { patience: 0 } }] }, /patience.*got 0, expected an integer ≥ 1/],
  [{ callbacks: [{ ComputeNorm: { perlayer: true } }] }, /did you mean per_layer/],
  [{ callbacks: [{ Sparsity: {} }] }, /sparsity/],
  [{ callbacks: [{ ExponentialMovingAverage: { decay: 1 } }] }, /decay/],
  [{ callbacks: [{ StochasticWeightAveraging: { start: 1.5 } }] }, /start/],
  [{ callbacks: [{ ScopedFlags: { train: { log_level: "loud" } } }] }, /log_level/],
  [{ loop: { num_steps: 1, overfit_batches: 0 } }, /overfit_batches/],
  [{ fast_dev_run: true }, /fast_dev_run/],
])("%j is refused with its place", (choices, message) => {
  expect(() => trainerOf(choices)).toThrow(message);
  expect(() => trainerOf(choices)).toThrow(/docs\.yaml:1:\d+/);
});

function camel(options: Record<string, unknown>): Record<string, unknown> {
  const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      toCamel(key),
      isRecord(value) ? camel(value as Record<string, unknown>) : value,
    ]),
  );
}

/** The keys that an entry of the catalog takes. */
function keysOf(name: string): string[] {
  const union = callbacks.schema as unknown as { options: { shape: Record<string, { value?: string }> }[] };
  const entry = union.options.find(({ shape }) => shape.class.value === name)!;
  return Object.keys(entry.shape).filter((key) => key !== "class");
}

test("a folder's run isn't gone on with under other numbers of a callback that trains", async () => {
  const modelDir = temporaryFolder();
  const sparse = (share: number, seconds: unknown[] = []) => ({
    callbacks: [{ Sparsity: { sparsity: share } }, ...seconds],
  });
  const made = await run(sparse(0.5), modelDir);
  await expect(run(sparse(0.25), modelDir)).rejects.toThrow(
    /another callbacks\/Sparsity\/sparsity: got 0\.5, expected 0\.25/,
  );
  expect((await run(sparse(0.5, [{ ComputeNorm: {} }]), modelDir)).digest).toBe(made.digest);
  expect(
    await verifyRun(modelDir, { backend: "wasm", rebuild: (changes) => rebuilt(sparse(0.5), changes) }),
  ).toMatchObject({ equal: true });
});

/** The program of such a run for a replay: what `verifyRun` makes by itself where the data have a name in configs. */
function rebuilt(choices: Record<string, unknown>, changes: object) {
  const made = trainerOf(choices, "unused");
  const callbacks = [
    ...[...made.callbacks.values()].filter(({ changesTraining }) => changesTraining),
    ...((changes as { callbacks?: [] }).callbacks ?? []),
  ];
  const { metrics: _, ...options } = made.options;
  return { trainer: new Trainer({ ...options, ...changes, callbacks }), train: toyTrain() };
}

test("the table of hooks, and the loop beside it, are those of the code", () => {
  expect(page).toContain(hookRows());
  expect(page).toContain(`\`\`\`text\n${hookLoop()}\n\`\`\``);
});
