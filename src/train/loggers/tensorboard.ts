// A TensorBoard event file in the run's folder: scalars and histograms.

import { options } from "../../core/options.ts";
import { eventFile, histogramsEvent, scalarsEvent } from "../../io/events.ts";
import type { Histogram } from "../../io/histogram.ts";
import type { Metrics } from "../run.ts";
import { FileLogger } from "./file.ts";

/** Writes scalars and histograms into `events.out.tfevents.0000000000.seedgrad`. */
export class TensorBoardLogger extends FileLogger {
  static override readonly options = options("TensorBoardLogger", {});
  protected override readonly file = "events.out.tfevents.0000000000.seedgrad";
  protected override readonly format = eventFile;

  logMetrics(metrics: Metrics, step: number): void {
    this.append(() => scalarsEvent(metrics, step));
  }

  logHistograms(histograms: Readonly<Record<string, Histogram>>, step: number): void {
    this.append(() => histogramsEvent(histograms, step));
  }
}
