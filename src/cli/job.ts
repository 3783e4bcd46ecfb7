// The process that makes one run for a runner: it says why it can't, or trains and tells how far it is. It ends with the process that started it, whose run it would otherwise go on with for nobody.
import { setDefaultVectorWidth, type Threads } from "../backend/load.ts";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { InterruptedError } from "../core/errors.ts";
import { type Failure, failureOf } from "../core/failures.ts";
import { configFor, type Job, Unfit } from "../sweep/job.ts";
import { now } from "../train/clock.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import type { Logger } from "../train/contract.ts";
import { importPrograms } from "./imports.ts";

/** What the process is told. */
export interface JobOrder {
  readonly job: Job;
  /** The run's, with what there is of it. */
  readonly folder: string;
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

async function work(
  { job, folder, imports, backend, threads, vectorWidth = "auto" }: JobOrder,
  signal: AbortSignal,
): Promise<JobEvent> {
  setDefaultVectorWidth(vectorWidth);
  try {
    await importPrograms(imports);
    const config = configFor(job, folder, imports);
    const options = trainerOptions(config);
    const { trainer, train, vals } = buildTrainer(config, {
      loggers: [...options.loggers!, reporter()],
      ...(backend !== undefined && { backend }),
      ...(threads !== undefined && { threads }),
    });
    const { digest } = await trainer.fit(train!, vals, { signal });
    return { type: "finished", digest };
  } catch (error) {
    if (error instanceof Unfit) return { type: "unfit", why: error.message };
    if (error instanceof InterruptedError) return { type: "stopped" };
    return { type: "failed", failure: failureOf(error) };
  }
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
