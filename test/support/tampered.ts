// A small run in a folder, with validation that steers it, for tests of verify: made, copied, and changed in one thing.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { tensorsDigest } from "../../src/io/state.ts";
import { digestOf } from "../../src/run/chain.ts";
import { ChainFile, readChain } from "../../src/run/chainfile.ts";
import {
  type Checkpoint,
  dropCheckpointsAfter,
  isOfRun,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
} from "../../src/run/checkpoint.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { verifyRun } from "../../src/verify/verify.ts";

export const work = mkdtempSync(join(tmpdir(), "seedgrad-tampered-"));
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
export const held = csv("held", rows.slice(0, 24));
export const other = csv("other", rows.slice(8, 32));

export type Init = Record<string, unknown>;
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

export function program(folder: string, init: Init = {}, fit: Record<string, unknown> = {}) {
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
export const chosenRate: Init = { schedulers: [], callbacks: [{ LearningRateFinder: { steps: 12, apply: true } }] };

export const made = async (name: string, init?: Init, fit?: Record<string, unknown>) => {
  const folder = `${work}/${name}`;
  await program(folder, init, fit).fit();
  return folder;
};

/** The run that is changed, and one of another seed: made before a file's tests. */
export const runs = { base: "", seed8: "" };
beforeAll(async () => {
  runs.base = await made("base");
  runs.seed8 = await made("seed8", { seed: 8 });
}, 300_000);

let copies = 0;
export function copy(folder: string): string {
  const to = `${work}/copy-${copies++}`;
  cpSync(folder, to, { recursive: true });
  return to;
}

// biome-ignore lint/suspicious/noExplicitAny: a forger's JSON.
export type Json = any;
export const editJson = (path: string, change: (value: Json) => void) => {
  const value = JSON.parse(readFileSync(path, "utf8"));
  change(value);
  writeFileSync(path, JSON.stringify(value));
};
export const manifest = (change: (manifest: Json) => void) => (folder: string) =>
  editJson(`${folder}/manifest.json`, change);
export const result = (change: Record<string, unknown>) => manifest((m) => Object.assign(m.result, change));
export const index = (change: (index: Json) => void) => (folder: string) =>
  editJson(`${folder}/checkpoints/index.json`, change);
export const config = (from: string | RegExp, to: string) => (folder: string) => {
  const path = `${folder}/config.yaml`;
  const before = readFileSync(path, "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${from} isn't in\n${before}`);
  writeFileSync(path, after);
};
export const fileOf = (folder: string, step: number) => `${folder}/checkpoints/checkpoint_${step}.safetensors`;

/** Writes a checkpoint anew with its own digest made right again. */
export const checkpoint =
  (step: number, change: (data: (name: string) => Float32Array, checkpoint: Json) => void) => (folder: string) => {
    const read: Checkpoint = loadCheckpoint(fileOf(folder, step));
    const tensors = new Map([...read.tensors].map(([name, array]) => [name, { ...array, data: array.data.slice() }]));
    const state = structuredClone(read.state);
    change((name) => tensors.get(name)!.data as Float32Array, { tensors, state });
    const { metrics } = listCheckpoints(`${folder}/checkpoints`).find((entry) => entry.step === step)!;
    saveCheckpoint(`${folder}/checkpoints`, `checkpoint_${step}`, state, tensors, { metrics });
  };
export const everyWeight = (change: (value: number) => number) =>
  checkpoint(6, (data, { tensors }) => {
    for (const name of tensors.keys()) if (name.startsWith("parameter/")) data(name).set(data(name).map(change));
  });
export const link = (step: number, change: (link: Json) => void) => (folder: string) => {
  const path = `${folder}/chain.bin`;
  const links = readChain(path).map((each) => ({ ...each, hash: each.hash.slice(), numbers: { ...each.numbers } }));
  change(links[step - 1]);
  new ChainFile(path, Object.keys(links[0].numbers)).replace(links);
};

/** The run as it was at a step, with a digest that is right, and said to have been stopped there. */
export const cutAt = (step: number, stopped: string) => (folder: string) => {
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

/** What verify says of a folder: its verdict, and the rows of one kind. */
export async function said(folder: string): Promise<{ verdict: string; text: string; trusted: string }> {
  try {
    const { verdict, difference = "", checks } = await verifyRun(folder);
    const rowsOf = (kind: string) =>
      checks.filter(({ found }) => found === kind).map(({ what, detail }) => `${what}: ${detail}`);
    return { verdict, text: [difference, ...rowsOf("differs")].join("\n"), trusted: rowsOf("trusted").join("\n") };
  } catch (error) {
    return { verdict: "refused", text: String(error), trusted: "" };
  }
}
