// A random run, and what must hold of it, in bits: one digest wherever it is computed, watched or not, from a config or from code; stopped or broken off and gone on with it is the run that never
// stopped, its logs too; verify says that it is the same, and that one bit of a checkpoint or of the chain isn't.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { InterruptedError, SeedgradError } from "../../src/core/errors.ts";
import { buildTrainer, trainerOptions } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Callback } from "../../src/train/contract.ts";
import type { Run } from "../../src/train/run.ts";
import { Trainer } from "../../src/verify/trainer.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { chooser, configOf, type Spelled } from "./configs.ts";

type Config = Spelled["config"];

interface How {
  /** Left out: in memory, and nothing is logged. */
  readonly folder?: string;
  readonly backend?: string;
  readonly threads?: number;
  /** By the Trainer's options alone. */
  readonly inCode?: boolean;
  /** Hooks that stop the run. */
  readonly stop?: Callback;
  readonly signal?: AbortSignal;
}

const nameOf = (callback: object) => Object.keys(callback)[0];

async function trained(
  { trainer: { init, fit: loaders } }: Config,
  { folder, backend = "reference", threads, inCode, stop, signal }: How,
): Promise<Run> {
  const config = { trainer: { init: { ...init, backend, threads, model_dir: folder }, fit: loaders } };
  const parsed = parseConfig(JSON.stringify(config), "run.yaml");
  const memory = { modelDir: undefined, checkpoint: null, loggers: [] };
  const options = { ...trainerOptions(parsed), ...(folder === undefined && memory) };
  const callbacks = options.callbacks!.filter(({ name }) => folder !== undefined || name !== "DumpActivations");
  const { train, vals } = buildTrainer(parsed, memory);
  const trainer = new Trainer({
    ...options,
    callbacks: stop ? [...callbacks, stop] : callbacks,
    ...(inCode && { config: undefined }),
  });
  return trainer.fit(train!, vals, { signal });
}

/** Numbers that the clock decides. */
const isTimed = (name: string) => /^(duration|rate|flops)\//.test(name);
const sorted = (record: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => !isTimed(name))
      .sort(),
  );

function same(what: string, { digest, graphHash, loss, metrics, history }: Run, whole: Run): void {
  assert.deepEqual(
    { digest, graphHash, loss },
    { digest: whole.digest, graphHash: whole.graphHash, loss: whole.loss },
    what,
  );
  assert.deepEqual(sorted(metrics), sorted(whole.metrics), `${what}: metrics`);
  assert.deepEqual(sorted(history), sorted(whole.history), `${what}: history`);
}

/** What a run leaves that no clock is in, and no checkpoint beside the last, which an interruption adds to. */
function left(folder: string, last: number): Record<string, unknown> {
  const { result, hyperparameters, graphs, data } = JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8"));
  const lines = readFileSync(`${folder}/metrics.csv`, "utf8").split("\n");
  return {
    ...{ result, hyperparameters, graphs, data },
    log: lines.filter((line) => !isTimed(line.split(",")[1] ?? "")),
    chain: readFileSync(`${folder}/chain.bin`, "latin1"),
    checkpoint: readFileSync(`${folder}/checkpoints/checkpoint_${last}.safetensors`, "latin1"),
  };
}

/** What only watches is taken away. */
function unwatched({ trainer: { init, fit: loaders } }: Config): Config {
  const { eval_frequency: _, ...loop } = init.loop as Record<string, unknown>;
  const trains = ["SelectiveGrad", "Lora", "Sparsity", "LearningRateFinder", "SkipSamples"];
  const callbacks = (init.callbacks as object[]).filter((callback) => trains.includes(nameOf(callback)));
  const { val_dataloader: __, ...data } = loaders;
  return {
    trainer: {
      init: { ...init, loop, callbacks, metrics: [], logging: { log_steps: 5, log_level: "silent" } },
      fit: data,
    },
  };
}

/** Checks the run that numbers spell; `data`: where `writeData` wrote. Says whether it is one, and not refused as what it is. */
export async function checkRun(numbers: readonly number[], data: string): Promise<"holds" | "refused"> {
  const { config } = configOf(numbers, data);
  const { pick, one } = chooser([...numbers].reverse());
  const work = mkdtempSync(`${data}/run-`);
  const folder = `${work}/whole`;
  try {
    const whole = await trained(config, { folder }).catch((error: unknown) => {
      assert(error instanceof SeedgradError, error as Error);
    });
    if (!whole) return "refused";
    const where = one<How>(
      { backend: "wasm" },
      { backend: "wasm", threads: 2 },
      { backend: "gpujs:cpu" },
      { inCode: true },
    );
    same(JSON.stringify(where), await trained(config, where), whole);
    await checkStopped(config, whole, { at: 1 + pick(whole.steps), breaks: pick(2) === 1, folder, work });
    same("a finished run", await trained(config, { folder }), whole);
    const { verdict, difference } = await verifyRun(folder);
    assert.deepEqual([verdict, difference], ["same", undefined]);
    await checkTampered(folder, `${work}/tampered`, pick);
    const { init, fit: loaders } = config.trainer;
    const other = await trained({ trainer: { init: { ...init, seed: 99 }, fit: loaders } }, {});
    assert.notEqual(other.digest, whole.digest);
    assert.notEqual(other.graphHash, whole.graphHash);
    if (!/ReduceOnPlateau|EarlyStopping/.test(JSON.stringify(init)))
      assert.equal((await trained(unwatched(config), {})).digest, whole.digest, "unwatched");
    return "holds";
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Stopped {
  readonly at: number;
  /** By an error, which saves nothing. */
  readonly breaks: boolean;
  readonly folder: string;
  readonly work: string;
}

async function checkStopped(config: Config, whole: Run, { at, breaks, folder, work }: Stopped): Promise<void> {
  const controller = new AbortController();
  const stop: Callback = {
    changesTraining: false,
    onAfterOptimizerStep({ step }) {
      if (step === at && breaks) throw new Error("broken off");
      if (step === at) controller.abort();
    },
  };
  const stopped = `${work}/stopped`;
  const ended = await trained(config, { folder: stopped, stop, signal: controller.signal }).catch(
    (error: unknown) => error,
  );
  const isExpected = ended instanceof Error ? breaks === !(ended instanceof InterruptedError) : at === whole.steps;
  assert(isExpected, ended as Error);
  const what = `${breaks ? "broken off" : "stopped"} at step ${at} of ${whole.steps}`;
  same(what, await trained(config, { folder: stopped }), whole);
  assert.deepEqual(left(stopped, whole.steps), left(folder, whole.steps), what);
}

/** One bit of a checkpoint or of the chain. */
async function checkTampered(folder: string, copy: string, pick: (below: number) => number): Promise<void> {
  cpSync(folder, copy, { recursive: true });
  const isOwn = (name: string) => /^checkpoint_\d+\.safetensors$/.test(name);
  const checkpoints = readdirSync(`${copy}/checkpoints`).filter(isOwn);
  const files = ["chain.bin", ...checkpoints.map((name) => `checkpoints/${name}`)];
  const file = files[pick(files.length)];
  const bytes = readFileSync(`${copy}/${file}`);
  const at = (pick(5000) * 7919) % bytes.length;
  bytes[at] ^= 1 << pick(8);
  writeFileSync(`${copy}/${file}`, bytes);
  const verdict = await verifyRun(copy).then(
    (found) => found.verdict,
    (error: unknown) => {
      assert(error instanceof SeedgradError, error as Error);
    },
  );
  assert.notEqual(verdict, "same", `one bit of byte ${at} of ${file}`);
}
