// Changes of a run's folder, one by one, with what verify says of each.
import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import {
  checkpoint,
  config,
  everyWeight,
  fileOf,
  index,
  type Json,
  link,
  manifest,
  result,
  runs,
} from "../support/tampered.ts";

const hex = "12".repeat(32);

/** What is changed, how, and what verify says: that something differs, in these words, or an error. */
export const tamperings: [string, (folder: string) => void, RegExp][] = [
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
      m.result.digest = JSON.parse(readFileSync(`${runs.seed8}/manifest.json`, "utf8")).result.digest;
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
    (folder) => cpSync(fileOf(runs.seed8, 6), fileOf(folder, 6)),
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
  ["chain: another seed's", (folder) => cpSync(`${runs.seed8}/chain.bin`, `${folder}/chain.bin`), /step 1/],
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
