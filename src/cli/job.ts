// The process that makes one run for a runner: it says why it can't, or trains and tells how far it is. It ends with the process that started it, whose run it would otherwise go on with for nobody.
import { setDefaultVectorWidth, type Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { BackendError, InterruptedError } from "../core/errors.ts";
import { drawSeed } from "../rng/stream.ts";
import { readManifest } from "../run/manifest.ts";
import { now } from "../runtime/clock.ts";
import type { FolderTask } from "../sweep/checking.ts";
import { configFor, type Job, Unfit } from "../sweep/job.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import type { Config } from "../train/config/schema.ts";
import type { Logger } from "../train/contract.ts";
import { attestationOf } from "../verify/attestation.ts";
import { proveOp, stepValues } from "../verify/prove.ts";
import { shareOf } from "../verify/share.ts";
import { verifyRun } from "../verify/verify.ts";
import { type Failure, failureOf } from "../worker/failures.ts";
import { importPrograms } from "./imports.ts";

/** What the process is told. */
export interface JobOrder {
  readonly job: Job;
  /** The run's, with what there is of it. */
  readonly folder: string;
  /** What to do with the finished run that is there; left out: the run is made. */
  readonly task?: FolderTask;
  /** The programs that may run here. */
  readonly imports: readonly string[];
  readonly backend?: string;
  readonly threads?: Threads;
  readonly vectorWidth?: VectorWidth;
}

/** What it tells. */
export type JobEvent =
  | { readonly type: "unfit"; readonly why: string }
  | { readonly type: "progress"; readonly step: number; readonly steps: number; readonly loss: number }
  | { readonly type: "saved" }
  | { readonly type: "stopped" }
  | { readonly type: "finished"; readonly digest: string }
  | { readonly type: "done"; readonly value: unknown }
  | { readonly type: "failed"; readonly failure: Failure };

/** Seconds between two reports of progress. */
const between = 0.25;

const tell = (event: JobEvent): Promise<void> =>
  new Promise((resolve) => (process.connected ? process.send!(event, () => resolve()) : resolve()));

/** Tells of a run, and touches nothing of it. */
function reporter(): Logger {
  let told = Number.NEGATIVE_INFINITY;
  return {
    changesTraining: false,
    onTrainBatchEnd({ step, totalSteps: steps, loss }) {
      if (now() - told < between && step !== steps) return;
      told = now();
      void tell({ type: "progress", step, steps, loss });
    },
    onAfterSaveCheckpoint() {
      void tell({ type: "saved" });
    },
  };
}

async function work(order: JobOrder, signal: AbortSignal): Promise<JobEvent> {
  const { job, folder, imports, task, vectorWidth = "auto" } = order;
  setDefaultVectorWidth(vectorWidth);
  try {
    await importPrograms(imports);
    const config = configFor(job, folder, imports);
    if (task) return { type: "done", value: await checked(order, task) };
    return { type: "finished", digest: await made(order, config, signal) };
  } catch (error) {
    if (error instanceof Unfit) return { type: "unfit", why: error.message };
    // A backend that this machine hasn't, another may have.
    if (error instanceof BackendError) return { type: "unfit", why: error.message };
    if (error instanceof InterruptedError) return { type: "stopped" };
    return { type: "failed", failure: failureOf(error) };
  }
}

async function made({ backend, threads }: JobOrder, config: Config, signal: AbortSignal): Promise<string> {
  const { trainer, train, vals } = buildTrainer(config, {
    loggers: [...trainerOptions(config).loggers!, reporter()],
    ...(backend !== undefined && { backend }),
    ...(threads !== undefined && { threads }),
  });
  return (await trainer.fit(train!, vals, { signal })).digest;
}

/** Replays a finished run, by vectors of another width than it was made with where there are such, or shows what a step of its comes to here. */
async function checked({ folder, backend, threads, vectorWidth }: JobOrder, task: FolderTask): Promise<unknown> {
  if (task.type === "replay") {
    const { vectorWidth: width } = readManifest(`${folder}/manifest.json`).environment;
    if (vectorWidth === undefined && width === 8) setDefaultVectorWidth(4);
    const part = task.steps === undefined ? {} : shareOf(folder, task.steps, drawSeed());
    return attestationOf(folder, await verifyRun(folder, { ...part, backend, threads }));
  }
  const options = { backend, threads, from: task.from, own: true };
  return task.type === "values"
    ? stepValues(folder, task.step, options)
    : proveOp(folder, task.step, task.value, options);
}

const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort("stopped"));
// A terminal sends these to the runner too, which then says when to stop.
for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => {});
process.on("disconnect", () => process.exit(1));
process.once("message", async (order) => {
  await tell(await work(order as JobOrder, stopping.signal));
  process.disconnect();
});
