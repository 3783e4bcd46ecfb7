// report.html in the run's folder: curves, config, digest, ledger and environment in one page. It is written anew at validations, with
// checkpoints and in the end, never in a step; what it shows is kept in the page itself, so that a run that goes on reads it back.

import { exists, readText, writeAtomic } from "#files";
import { CheckpointError } from "../../core/errors.ts";
import { options } from "../../core/options.ts";
import { configured } from "../../core/things.ts";
import { renderReport, seriesText } from "../../report/run.ts";
import { SeriesStore } from "../../report/series.ts";
import type { LedgerRow } from "../../run/ledger.ts";
import { readManifest } from "../../run/manifest.ts";
import { countParameters } from "../callbacks/model-summary.ts";
import { now } from "../clock.ts";
import type { FitContext, Logger, TrainerView } from "../contract.ts";
import type { Metrics } from "../run.ts";

/** At validations it is written at most once in so many seconds. */
const interval = 5;

/** Writes `report.html`. On resume its curves are cut back to the checkpoint's step. Without a folder: nothing. */
export class ReportLogger extends configured(options("ReportLogger", {})) implements Logger {
  readonly changesTraining = false;
  #series = new SeriesStore();
  #ledger: readonly LedgerRow[] = [];
  #fit: FitContext | undefined;
  #written = 0;

  async onTrainStart(context: FitContext): Promise<void> {
    const { trainer, loader } = context;
    const path = pathOf(trainer);
    if (path === undefined) return;
    this.#series = trainer.step > 0 ? this.#readBack(trainer, path) : new SeriesStore();
    this.#series.cutBack(trainer.step);
    this.#ledger = await trainer.ledger(loader);
    this.#fit = context;
  }

  /** The curves in the report that is there; none where it is missing or damaged. */
  #readBack(trainer: TrainerView, path: string): SeriesStore {
    if (!exists(path)) return new SeriesStore();
    try {
      return SeriesStore.parse(seriesText(readText(path, CheckpointError)) ?? "");
    } catch (error) {
      trainer.message("warn", `${path}: its curves can't be read, and begin anew: ${error}`);
      return new SeriesStore();
    }
  }

  logMetrics(metrics: Metrics, step: number): void {
    for (const [name, value] of Object.entries(metrics)) this.#series.add(name, step, value);
    const validated = Object.keys(metrics).some((name) => name.startsWith("val_"));
    if (validated && now() - this.#written >= interval) this.#write();
  }

  /** Before a checkpoint is there, what it will be gone on from is in the report. */
  onSaveCheckpoint(): void {
    this.#write();
  }

  finalize(): void {
    this.#write();
    this.#fit = undefined;
  }

  #write(): void {
    if (!this.#fit) return;
    const { trainer, totalSteps } = this.#fit;
    const directory = trainer.options.modelDir!;
    const page = renderReport({
      directory,
      manifest: readManifest(`${directory}/manifest.json`),
      config: trainer.describe(),
      series: this.#series,
      ledger: this.#ledger,
      parameters: countParameters(trainer).total,
      step: trainer.step,
      totalSteps,
    });
    writeAtomic(pathOf(trainer)!, new TextEncoder().encode(page));
    this.#written = now();
  }
}

function pathOf({ options }: TrainerView): string | undefined {
  return options.modelDir === undefined ? undefined : `${options.modelDir}/report.html`;
}
