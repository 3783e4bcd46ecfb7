// report.html in the run's folder: curves, config, digest, ledger and environment in one page. It is written anew at validations, with
// checkpoints and in the end, never in a step; what it shows is kept in the page itself, so that a run that goes on reads it back.

import { exists, readText, writeAtomic } from "#files";
import { configured } from "../../core/configured.ts";
import { CheckpointError } from "../../core/errors.ts";
import { options } from "../../core/options.ts";
import { renderReport, seriesText } from "../../report/run.ts";
import { type Figure, renderSample, type Sample, samplesIn } from "../../report/samples.ts";
import { SeriesStore } from "../../report/series.ts";
import type { LedgerRow } from "../../run/ledger.ts";
import { readManifest } from "../../run/manifest.ts";
import { now } from "../../runtime/clock.ts";
import { countParameters } from "../callbacks/model-summary.ts";
import type { FitContext, Logger, TrainerView } from "../contract.ts";
import type { Metrics } from "../run.ts";

/** At validations it is written at most once in so many seconds. */
const interval = 5;

/** Writes `report.html`. On resume its curves are cut back to the checkpoint's step. Without a folder: nothing. */
export class ReportLogger extends configured(options("ReportLogger", {})) implements Logger {
  readonly changesTraining = false;
  #series = new SeriesStore();
  #samples = new Map<string, Figure>();
  #ledger: readonly LedgerRow[] = [];
  #fit: FitContext | undefined;
  #written = 0;

  postSetup(): void {
    this.#series = new SeriesStore();
    this.#samples = new Map();
  }

  async onTrainStart(context: FitContext): Promise<void> {
    const { trainer, loader } = context;
    const path = pathOf(trainer);
    if (path === undefined) return;
    if (trainer.step > 0) this.#readBack(trainer, path);
    this.#ledger = await trainer.ledger(loader);
    this.#fit = context;
  }

  /** Takes over what the report that is there has up to now; nothing where it is missing or damaged. */
  #readBack(trainer: TrainerView, path: string): void {
    if (!exists(path)) return;
    try {
      const page = readText(path, CheckpointError);
      this.#series = SeriesStore.parse(seriesText(page) ?? "");
      this.#series.cutBack(trainer.step);
      for (const [name, figure] of samplesIn(page)) if (figure.step <= trainer.step) this.#samples.set(name, figure);
    } catch (error) {
      trainer.message("warn", `${path}: its curves can't be read, and begin anew: ${error}`);
    }
  }

  logSample(name: string, sample: Sample, step: number): void {
    const figure = renderSample(name, step, sample);
    this.#samples.set(name, figure);
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
      samples: this.#samples,
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
