// Folders of a run, each changed in one thing after the run: verify names it, or refuses. Runs that nobody touched are the same, however they came
// about.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/core/canonical.ts";
import { InterruptedError } from "../../src/core/errors.ts";
import { digestOf } from "../../src/run/chain.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import {
  type Checkpoint,
  dropCheckpointsAfter,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
} from "../../src/run/checkpoint.ts";
import { isOfRun, tensorsDigest } from "../../src/run/state.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const work = mkdtempSync(join(tmpdir(), "seedgrad-tampered-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const rows = Array.from(
  { length: 40 },
  (_, i) => `${((i * 37) % 23) / 23},${((i * 11) % 7) / 7},${(i * 37) % 23 > 11 ? 1 : 0}`,
);
const csv = (name: string, lines: readonly string[]) => {
  writeFileSync(`${work}/${name}.csv`, ["a,b,label", ...lines].join("\n"));
  return { name: "csv", file: `${work}/${name}.csv`, target: "label", classes: ["0", "1"], batch_size: 8 };
};
const train = csv("train", rows);
const held = csv("held", rows.slice(0, 24));
const other = csv("other", rows.slice(8, 32));

type Init = Record<string, unknown>;
const baseInit: Init = {
  seed: 7,
  model: { name: "mlp", sizes: [2, 4, 2], dropout: 0.1 },
  loss: "cross_entropy",
  metrics: ["accuracy"],
  optimizer: { AdamW: { learning_rate: 0.05 } },
  schedulers: [{ ReduceOnPlateauLR: { initial_learning_rate: 0.05, patience: 0, threshold: 0.02, factor: 0.5 } }],
  callbacks: [{ ExponentialMovingAverage: { decay: 0.5 } }],
  loop: { num_steps: 6, eval_frequency: 2 },
  checkpoint: { steps: 2 },
  logging: { log_level: "silent" },
  loggers: [{ ProgressLogger: null }],
  backend: "reference",
};

function program(folder: string, init: Init = {}, fit: Record<string, unknown> = {}) {
  const config = {
    trainer: {
      init: { ...baseInit, model_dir: folder, ...init },
      fit: {
        train_dataloader: { ...train, shuffle: true },
        ...(fit.val_dataloader === null ? {} : { val_dataloader: held, ...fit }),
      },
    },
  };
  const { trainer, train: loader, vals } = buildTrainer(parseConfig(JSON.stringify(config), "t.yaml"));
  return { trainer, fit: (signal?: AbortSignal) => trainer.fit(loader!, vals, { signal }) };
}

/** A run whose learning rate a finder chose. */
const chosenRate: Init = { schedulers: [], callbacks: [{ LearningRateFinder: { steps: 12, apply: true } }] };

const made = async (name: string, init?: Init, fit?: Record<string, unknown>) => {
  const folder = `${work}/${name}`;
  await program(folder, init, fit).fit();
  return folder;
};

let base: string;
let seed8: string;
beforeAll(async () => {
  base = await made("base");
  seed8 = await made("seed8", { seed: 8 });
}, 300_000);

let copies = 0;
function copy(folder: string): string {
  const to = `${work}/copy-${copies++}`;
  cpSync(folder, to, { recursive: true });
  return to;
}

// biome-ignore lint/suspicious/noExplicitAny: a forger's JSON.
type Json = any;
const editJson = (path: string, change: (value: Json) => void) => {
  const value = JSON.parse(readFileSync(path, "utf8"));
  change(value);
  writeFileSync(path, JSON.stringify(value));
};
const manifest = (change: (manifest: Json) => void) => (folder: string) => editJson(`${folder}/manifest.json`, change);
const result = (change: Record<string, unknown>) => manifest((m) => Object.assign(m.result, change));
const index = (change: (index: Json) => void) => (folder: string) =>
  editJson(`${folder}/checkpoints/index.json`, change);
const config = (from: string | RegExp, to: string) => (folder: string) => {
  const path = `${folder}/config.yaml`;
  const before = readFileSync(path, "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${from} isn't in\n${before}`);
  writeFileSync(path, after);
};
const fileOf = (folder: string, step: number) => `${folder}/checkpoints/checkpoint_${step}.safetensors`;

/** Writes a checkpoint anew with its own digest made right again. */
const checkpoint =
  (step: number, change: (data: (name: string) => Float32Array, checkpoint: Json) => void) => (folder: string) => {
    const read: Checkpoint = loadCheckpoint(fileOf(folder, step));
    const tensors = new Map([...read.tensors].map(([name, array]) => [name, { ...array, data: array.data.slice() }]));
    const state = structuredClone(read.state);
    change((name) => tensors.get(name)!.data as Float32Array, { tensors, state });
    const { metrics } = listCheckpoints(`${folder}/checkpoints`).find((entry) => entry.step === step)!;
    saveCheckpoint(`${folder}/checkpoints`, `checkpoint_${step}`, state, tensors, { metrics });
  };
const everyWeight = (change: (value: number) => number) =>
  checkpoint(6, (data, { tensors }) => {
    for (const name of tensors.keys()) if (name.startsWith("parameter/")) data(name).set(data(name).map(change));
  });
const link = (step: number, change: (link: Json) => void) => (folder: string) => {
  const path = `${folder}/chain.bin`;
  const links = readChain(path).map((each) => ({ ...each, hash: each.hash.slice(), numbers: { ...each.numbers } }));
  change(links[step - 1]);
  new ChainFile(path, Object.keys(links[0].numbers)).replace(links);
};

/** The run as it was at a step, with a digest that is right, and said to have been stopped there. */
const cutAt = (step: number, stopped: string) => (folder: string) => {
  const read = loadCheckpoint(fileOf(folder, step));
  new ChainFile(`${folder}/chain.bin`).cutBack(step);
  dropCheckpointsAfter(`${folder}/checkpoints`, step);
  const hash = readChain(`${folder}/chain.bin`)[step - 1].hash;
  const { loss, metrics, position } = read.state;
  const digest = digestOf(hash, tensorsDigest([...read.tensors].filter(isOfRun)));
  manifest((m) => {
    m.result = { digest, steps: step, loss, metrics, streamPosition: position, stopped };
  })(folder);
};

const hex = "12".repeat(32);

/** What is changed, how, and what verify says: that something differs, in these words, or an error. */
const tamperings: [string, (folder: string) => void, RegExp][] = [
  ["result: digest", result({ digest: hex }), /digest/],
  [
    "result: digest, marked",
    manifest((m) => {
      m.result.digest = `warn:${m.result.digest}`;
    }),
    /digest/,
  ],
  [
    "result: digest of another run",
    manifest((m) => {
      m.result.digest = JSON.parse(readFileSync(`${seed8}/manifest.json`, "utf8")).result.digest;
    }),
    /digest/,
  ],
  ["result: one step more", result({ steps: 7 }), /got 6 steps, expected 7/],
  ["result: one step fewer", result({ steps: 5 }), /got 6 steps, expected 5/],
  ["result: loss", result({ loss: 1e-6 }), /result: loss/],
  ["result: loss, none", result({ loss: null }), /result: loss/],
  ["result: stream position", result({ streamPosition: 7 }), /result: streamPosition/],
  ["result: metrics", result({ metrics: { accuracy: 0.9999 } }), /result: metrics: .*accuracy is \S+, recorded 0.9999/],
  [
    "result: one metric more",
    manifest((m) => {
      m.result.metrics.auc = 1;
    }),
    /auc is none, recorded 1/,
  ],
  ["result: no metrics", result({ metrics: {} }), /accuracy is \S+, recorded none/],
  [
    "status: running",
    manifest((m) => {
      m.status = "running";
    }),
    /isn't finished/,
  ],
  [
    "status: failed, no result",
    manifest((m) => {
      m.status = "failed";
      delete m.result;
    }),
    /isn't finished/,
  ],
  [
    "no result",
    manifest((m) => {
      delete m.result;
    }),
    /a result isn't a record/,
  ],
  [
    "manifest: seed",
    manifest((m) => {
      m.seed = "8";
    }),
    /seed|step 1/,
  ],
  [
    "manifest: numerics id",
    manifest((m) => {
      m.numericsId = "f32-strict/1";
    }),
    /f32-strict\/1/,
  ],
  [
    "manifest: format",
    manifest((m) => {
      m.format = 2;
    }),
    /format/,
  ],
  [
    "manifest: graph train",
    manifest((m) => {
      m.graphs.train = hex;
    }),
    /graphs: train is/,
  ],
  [
    "manifest: graph eval",
    manifest((m) => {
      m.graphs.eval = hex;
    }),
    /graphs: eval is/,
  ],
  [
    "manifest: graph init",
    manifest((m) => {
      m.graphs.init = hex;
    }),
    /graphs: init is/,
  ],
  [
    "manifest: data's digest",
    manifest((m) => {
      m.data = Object.fromEntries(Object.keys(m.data).map((name) => [name, hex]));
    }),
    /isn't what the run was trained on/,
  ],
  [
    "manifest: data that are none of the run's",
    manifest((m) => {
      m.data.secret = hex;
    }),
    /data: secret is none/,
  ],
  [
    "manifest: no data",
    manifest((m) => {
      m.data = {};
    }),
    /isn't what the run was trained on/,
  ],
  [
    "manifest: a shuffle seed",
    manifest((m) => {
      m.shuffleSeeds = ["9"];
    }),
    /shuffle seeds: none, recorded 9/,
  ],
  [
    "manifest: no validation data",
    manifest((m) => {
      delete m.validation;
    }),
    /validation data: .*recorded none/,
  ],
  [
    "manifest: validation's batch size",
    manifest((m) => {
      m.validation[0].batchSize = 4;
    }),
    /validation batchSize/,
  ],
  [
    "manifest: validation's digest",
    manifest((m) => {
      for (const name of Object.keys(m.validation[0].digests)) m.validation[0].digests[name] = hex;
    }),
    /validation data/,
  ],
  [
    "manifest: another validation loader",
    manifest((m) => {
      m.validation.push(m.validation[0]);
    }),
    /validation loader 2/,
  ],
  [
    "manifest: a hyper-parameter",
    manifest((m) => {
      m.hyperparameters["optimizer/AdamW/learning_rate"].value = 0.5;
    }),
    /hyperparameters: optimizer/,
  ],
  [
    "manifest: a hyper-parameter's bits",
    manifest((m) => {
      m.hyperparameters["optimizer/AdamW/learning_rate"].float32 = "00000000";
    }),
    /hyperparameters: optimizer/,
  ],
  [
    "manifest: a hyper-parameter less",
    manifest((m) => {
      delete m.hyperparameters["loader/batchSize"];
    }),
    /loader\/batchSize is 8/,
  ],
  [
    "manifest: a hyper-parameter more",
    manifest((m) => {
      m.hyperparameters.magic = { value: 1, float32: "3f800000" };
    }),
    /magic is none/,
  ],
  [
    "manifest: what the average is made with",
    manifest((m) => {
      m.hyperparameters["callbacks/ExponentialMovingAverage/decay"].value = 0.9;
    }),
    /ExponentialMovingAverage\/decay is 0.5/,
  ],
  [
    "manifest: config's rate",
    manifest((m) => {
      m.config.trainer.init.optimizer.AdamW.learning_rate = 0.5;
    }),
    /config.yaml and manifest.json: .*learning_rate is 0.05, recorded 0.5/,
  ],
  [
    "manifest: config's model",
    manifest((m) => {
      m.config.trainer.init.model.sizes = [2, 400, 2];
    }),
    /sizes\[1\] is 4, recorded 400/,
  ],
  [
    "manifest: config's seed",
    manifest((m) => {
      m.config.trainer.init.seed = "9";
    }),
    /init.seed is 7, recorded 9/,
  ],
  [
    "manifest: config's validation data",
    manifest((m) => {
      m.config.trainer.fit.val_dataloader.file = "best.csv";
    }),
    /val_dataloader/,
  ],
  [
    "manifest: no config",
    manifest((m) => {
      m.config = null;
    }),
    /made in code/,
  ],
  [
    "manifest: marked",
    manifest((m) => {
      m.deterministic = "warn";
    }),
    /digest/,
  ],
  ["config.yaml: seed", config("seed: 7", "seed: 9"), /init.seed is 9, recorded 7/],
  ["config.yaml: rate", config("learning_rate: 0.05", "learning_rate: 0.06"), /step 1|AdamW.learning_rate/],
  ["config.yaml: steps", config("num_steps: 6", "num_steps: 8"), /no such step|num_steps/],
  ["config.yaml: model", config("- 4", "- 5"), /graph/],
  ["config.yaml: validation data", config("held.csv", "other.csv"), /the validation name isn't what/],
  ["config.yaml: metrics", config(/metrics:\n\s+- accuracy: \{\}/, "metrics: []"), /metrics/],
  ["config.yaml: the schedule", config("patience: 0", "patience: 9"), /patience/],
  ["config.yaml: the average", config("decay: 0.5", "decay: 0.75"), /decay is 0.75, recorded 0.5/],
  ["config.yaml: how often it validates", config("eval_frequency: 2", "eval_frequency: 3"), /eval_frequency|groups/],
  ["config.yaml: deleted", (folder) => rmSync(`${folder}/config.yaml`), /config.yaml/],
  [
    "last checkpoint: bits flipped in the file",
    (folder) => {
      const path = fileOf(folder, 6);
      const bytes = readFileSync(path);
      for (let i = bytes.length - 16; i < bytes.length; i++) bytes[i] ^= 0x80;
      writeFileSync(path, bytes);
    },
    /checkpoint_6.*content isn't what was written/,
  ],
  ["last checkpoint: negated", everyWeight((value) => -value), /checkpoint_6\S*: parameter\/\S+ is \w+, recorded/],
  ["last checkpoint: zeroed", everyWeight(() => 0), /checkpoint_6\S*: parameter/],
  [
    "last checkpoint: one bit of one weight",
    checkpoint(6, (data, { tensors }) => {
      const name = [...tensors.keys()].find((each: string) => each.startsWith("parameter/"));
      data(name)[0] = Math.fround(data(name)[0] * (1 + 2 ** -23));
    }),
    /checkpoint_6\S*: parameter/,
  ],
  [
    "last checkpoint: another seed's",
    (folder) => cpSync(fileOf(seed8, 6), fileOf(folder, 6)),
    /checkpoint_6\S*: .*seed is 7, recorded 8/,
  ],
  [
    "last checkpoint: an earlier one",
    (folder) => cpSync(fileOf(folder, 4), fileOf(folder, 6)),
    /checkpoint_6\S*: .*step is 6, recorded 4/,
  ],
  [
    "last checkpoint: deleted",
    (folder) => rmSync(fileOf(folder, 6)),
    /checkpoint_6\S*: index.json names it, and it isn't there/,
  ],
  [
    "last checkpoint: renamed",
    (folder) => renameSync(fileOf(folder, 6), `${folder}/checkpoints/best.safetensors`),
    /checkpoint_6\S*: index.json names it/,
  ],
  ["last checkpoint: truncated", (folder) => truncateSync(fileOf(folder, 6), 700), /checkpoint_6/],
  [
    "last checkpoint: out of the index",
    (folder) => {
      rmSync(fileOf(folder, 6));
      index((all) => {
        all.checkpoints.pop();
      })(folder);
    },
    /the run's last, step 6, isn't among them/,
  ],
  [
    "an earlier checkpoint's weights",
    checkpoint(2, (data, { tensors }) => {
      const name = [...tensors.keys()].find((each: string) => each.startsWith("parameter/"));
      data(name)[0]++;
    }),
    /checkpoint_2\S*: parameter/,
  ],
  [
    "a checkpoint's optimizer state",
    checkpoint(4, (data, { tensors }) => {
      const name = [...tensors.keys()].find((each: string) => each.startsWith("optimizer/"));
      data(name)[0]++;
    }),
    /checkpoint_4\S*: optimizer/,
  ],
  [
    "a checkpoint's average",
    checkpoint(6, (data, { tensors }) => {
      const name = [...tensors.keys()].find((each: string) => each.startsWith("callback/"));
      data(name)[0]++;
    }),
    /checkpoint_6\S*: callback\/ExponentialMovingAverage/,
  ],
  [
    "a checkpoint with a tensor more",
    checkpoint(6, (data, { tensors }) => {
      tensors.set("parameter/extra", { data: data("parameter/0.bias"), shape: [4], dtype: "float32" });
    }),
    /parameter\/extra is in it, and isn't the program's/,
  ],
  [
    "a checkpoint with a tensor less",
    checkpoint(6, (_, { tensors }) => {
      tensors.delete("parameter/0.bias");
    }),
    /parameter\/0.bias isn't in it/,
  ],
  [
    "a checkpoint's loss",
    checkpoint(4, (_, { state }) => {
      state.loss = 0;
    }),
    /checkpoint_4\S*: loss is/,
  ],
  [
    "a checkpoint's position",
    checkpoint(4, (_, { state }) => {
      state.position = 0;
    }),
    /checkpoint_4\S*: position is/,
  ],
  [
    "a checkpoint's place in the data",
    checkpoint(4, (_, { state }) => {
      state.loader.cursor = 0;
    }),
    /checkpoint_4\S*: cursor is/,
  ],
  [
    "a checkpoint's chain",
    checkpoint(4, (_, { state }) => {
      state.chain = hex;
    }),
    /checkpoint_4\S*: chain is/,
  ],
  [
    "a checkpoint's metrics",
    checkpoint(4, (_, { state }) => {
      state.metrics.accuracy = 1;
    }),
    /metrics of \S+checkpoint_4\S+: state and index.json: accuracy/,
  ],
  [
    "a checkpoint's schedule",
    checkpoint(4, (_, { state }) => {
      for (const value of Object.values(state.callbacks) as Json[]) if ("best" in value) value.best = 0;
    }),
    /checkpoint_4\S*: callback /,
  ],
  [
    "index.json: metrics",
    index((all) => {
      all.checkpoints[1].metrics.accuracy = 0.99;
    }),
    /metrics of \S+checkpoint_4\S+: .*accuracy/,
  ],
  [
    "index.json: a step",
    index((all) => {
      all.checkpoints[1].step = 3;
    }),
    /checkpoint_4\S*: .*step is 3, recorded 4/,
  ],
  [
    "index.json: another file",
    index((all) => {
      all.checkpoints[2].file = all.checkpoints[1].file;
    }),
    /checkpoint_4\S*: .*step is 6, recorded 4/,
  ],
  ["index.json: deleted", (folder) => rmSync(`${folder}/checkpoints/index.json`), /index/],
  [
    "chain: a link",
    link(3, (each) => {
      each.hash[0] ^= 1;
    }),
    /step 3/,
  ],
  [
    "chain: the last link",
    link(6, (each) => {
      each.hash[31] ^= 1;
    }),
    /step 6/,
  ],
  [
    "chain: a loss",
    link(3, (each) => {
      each.lossBits ^= 1;
    }),
    /step 3: loss/,
  ],
  [
    "chain: a position",
    link(3, (each) => {
      each.position++;
    }),
    /step 3: stream position/,
  ],
  [
    "chain: a graph",
    link(3, (each) => {
      each.graph = "0".repeat(16);
    }),
    /step 3: graph/,
  ],
  [
    "chain: a batch",
    link(3, (each) => {
      each.batch = "0".repeat(16);
    }),
    /step 3: batch/,
  ],
  [
    "chain: what was given",
    link(3, (each) => {
      each.given = "0".repeat(16);
    }),
    /step 3: given/,
  ],
  [
    "chain: a learning rate",
    link(3, (each) => {
      each.numbers["groups/0/learningRate"] ^= 1;
    }),
    /step 3: groups\/0\/learningRate/,
  ],
  ["chain: cut", (folder) => new ChainFile(`${folder}/chain.bin`).cutBack(5), /got 5 steps, expected 6/],
  [
    "chain: extended",
    (folder) => {
      const links = readChain(`${folder}/chain.bin`);
      new ChainFile(`${folder}/chain.bin`).replace([...links, { ...links[5], step: 7 }]);
    },
    /got 7 steps, expected 6/,
  ],
  ["chain: another seed's", (folder) => cpSync(`${seed8}/chain.bin`, `${folder}/chain.bin`), /step 1/],
  [
    "chain: header",
    (folder) => {
      const bytes = readFileSync(`${folder}/chain.bin`);
      bytes[20] ^= 1;
      writeFileSync(`${folder}/chain.bin`, bytes);
    },
    /header is damaged/,
  ],
  [
    "chain: a record",
    (folder) => {
      const bytes = readFileSync(`${folder}/chain.bin`);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(`${folder}/chain.bin`, bytes);
    },
    /record of step 6/,
  ],
  ["chain: deleted", (folder) => rmSync(`${folder}/chain.bin`), /chain.bin/],
  ["manifest: deleted", (folder) => rmSync(`${folder}/manifest.json`), /manifest.json/],
];

/** What verify says of a folder: its verdict, and the rows of one kind. */
async function said(folder: string): Promise<{ verdict: string; text: string; trusted: string }> {
  try {
    const { verdict, difference = "", checks } = await verifyRun(folder);
    const rowsOf = (kind: string) =>
      checks.filter(({ found }) => found === kind).map(({ what, detail }) => `${what}: ${detail}`);
    return { verdict, text: [difference, ...rowsOf("differs")].join("\n"), trusted: rowsOf("trusted").join("\n") };
  } catch (error) {
    return { verdict: "refused", text: String(error), trusted: "" };
  }
}

describe("folders that were changed are named, or refused", () => {
  test("as many as were asked for", () => expect(tamperings.length).toBeGreaterThanOrEqual(50));

  test.each(tamperings)("%s", { timeout: 60_000 }, async (_, change, expected) => {
    const folder = copy(base);
    change(folder);
    const { verdict, text } = await said(folder);
    expect(["different", "refused"], text).toContain(verdict);
    expect(text).toMatch(expected);
  });

  test("a run that was cut at a step and marked as stopped is the same up to there, and said to be no more", async () => {
    const folder = copy(base);
    cutAt(4, "EarlyStopping: loss was best")(folder);
    const found = await verifyRun(folder);
    expect(found).toMatchObject({
      verdict: "same, stopped early",
      equal: false,
      steps: 4,
      stopped: { of: 6, reason: "EarlyStopping: loss was best" },
    });
    expect(found.difference).toBeUndefined();
    const marked = copy(base);
    result({ stopped: "enough" })(marked);
    expect(await verifyRun(marked)).toMatchObject({ verdict: "same, stopped early", equal: false, stopped: { of: 6 } });
  }, 60_000);

  test("marked as stopped by the program's own EarlyStopping, which doesn't stop there: named", async () => {
    const folder = await made("patient", { callbacks: [{ EarlyStopping: { patience: 5 } }] });
    expect(await verifyRun(folder)).toMatchObject({ verdict: "same" });
    cutAt(4, "EarlyStopping: loss was best at step 2")(folder);
    const { verdict, text } = await said(folder);
    expect(verdict).toBe("different");
    expect(text).toMatch(/result: stopped: the replay's EarlyStopping doesn't stop it there/);
  }, 60_000);

  test("a finder whose rate was applied, and which looks at other rates now: named", async () => {
    const folder = await made("finder", chosenRate);
    config("steps: 12", "steps: 13")(folder);
    manifest((m) => {
      m.config.trainer.init.callbacks[0].steps = 13;
      for (const [name, number] of Object.entries<Json>(m.hyperparameters))
        if (name.endsWith("LearningRateFinder/steps"))
          m.hyperparameters[name] = { ...number, value: 13, float32: "41500000" };
    })(folder);
    const { verdict, text } = await said(folder);
    expect(verdict).toBe("different");
    expect(text).toMatch(/step 1\b.*rate|learning_?[rR]ate/);
  }, 60_000);

  test("all checkpoints gone, logs, code that nobody compares: told among what is taken on trust", async () => {
    const folder = copy(base);
    rmSync(`${folder}/checkpoints`, { recursive: true });
    writeFileSync(`${folder}/metrics.csv`, "step,loss\n6,0\n");
    const { verdict, trusted } = await said(folder);
    expect(verdict).toBe("same");
    expect(trusted).toMatch(/^checkpoints: there are none$/m);
    expect(trusted).toMatch(/^other files: not read: .*metrics.csv/m);
    expect(trusted).toMatch(/^engine: /m);
  }, 60_000);
});

describe("runs that nobody touched are the same", () => {
  const honest: [string, Init, Record<string, unknown>?][] = [
    ["under EarlyStopping that stops it", { callbacks: [{ EarlyStopping: { patience: 1, stopping_threshold: 100 } }] }],
    [
      "with the best checkpoints kept",
      { checkpoint: { keep: 1, keep_best: { metric: "accuracy", mode: "max", k: 2 } } },
    ],
    ["with several validation loaders", {}, { val_dataloader: [held, other] }],
    ["with gradients accumulated", { loop: { num_steps: 6, eval_frequency: 3, grad_accum_steps: 2 } }],
    [
      "in mixed precision under a dynamic scale",
      { precision: { enabled: true, fp16_type: "float16", loss_scaling_factor: "dynamic" } },
    ],
    [
      "with an equal average, no schedule",
      { schedulers: [], callbacks: [{ StochasticWeightAveraging: { start: 2 } }] },
    ],
    ["at a rate that a finder chose", chosenRate],
    [
      "beside finders that only look",
      { callbacks: [{ LearningRateFinder: { steps: 10 } }, { BatchSizeFinder: { maximum: 4, steps: 1 } }] },
    ],
    ["without validation", { schedulers: [], callbacks: [], loop: { num_steps: 6 } }, { val_dataloader: null }],
    ["with the initial checkpoint", { checkpoint: { steps: 3, save_initial_checkpoint: true } }],
    ["from a drawn seed", { seed: null }],
  ];
  test.each(honest)("%s", { timeout: 60_000 }, async (name, init, fit) => {
    const folder = await made(`honest ${name}`, init, fit);
    expect((await said(folder)).text).toBe("");
    expect(await verifyRun(folder, { backend: "wasm" })).toMatchObject({ verdict: "same", equal: true });
  });

  test("the base itself; from a checkpoint, which is said", async () => {
    const whole = await verifyRun(base);
    expect(whole).toMatchObject({ verdict: "same", equal: true });
    expect(whole.checks.filter(({ found }) => found === "same").map(({ what }) => what)).toEqual(
      expect.arrayContaining(["chain.bin", "result: metrics", "checkpoints/checkpoint_6.safetensors"]),
    );
    const part = await verifyRun(base, { from: 4 });
    expect(part).toMatchObject({ verdict: "same", steps: 2 });
    expect(part.checks).toContainEqual({
      what: "steps 1 to 4",
      found: "trusted",
      detail: "the checkpoint at step 4 was taken as it is",
    });
  }, 60_000);

  test("interrupted, and resumed; and made longer, across a validation that only its first end had", async () => {
    const stopped = `${work}/stopped`;
    const stop = new AbortController();
    stop.abort("enough");
    await expect(program(stopped).fit(stop.signal)).rejects.toThrow(InterruptedError);
    await program(stopped).fit();
    expect((await said(stopped)).text).toBe("");
    const longer = `${work}/longer`;
    await program(longer, { loop: { num_steps: 3, eval_frequency: 2 } }).fit();
    await program(longer).fit();
    expect(await said(longer)).toMatchObject({ verdict: "same", text: "" });
    expect(readdirSync(`${longer}/checkpoints`)).toContain("checkpoint_3.safetensors");
  }, 60_000);

  test("made in code: without validation data it says that metrics aren't checked", async () => {
    const modelDir = `${work}/code`;
    const options = { modelDir, loop: { numSteps: 6, evalFrequency: 3 } };
    const run = await toyTrainer(options).fit(toyTrain(), toyTest());
    const whole = await toyTrainer(options).verify(modelDir, { train: toyTrain(), val: toyTest() });
    expect(whole).toMatchObject({ verdict: "same", digest: run.digest });
    const blind = await toyTrainer(options).verify(modelDir, { train: toyTrain() });
    expect(blind.verdict).toBe("same");
    expect(blind.checks).toContainEqual({
      what: "result: metrics",
      found: "trusted",
      detail: "metrics not checked: no validation data",
    });
    editJson(`${modelDir}/config.json`, (value) => {
      value.seed = "8";
    });
    expect((await toyTrainer(options).verify(modelDir, { train: toyTrain() })).difference).toBe(
      "config.json: seed is 7, recorded 8",
    );
    expect(toHex(readChain(`${modelDir}/chain.bin`)[5].hash)).toBe(loadCheckpoint(fileOf(modelDir, 6)).state.chain);
  }, 60_000);
});
