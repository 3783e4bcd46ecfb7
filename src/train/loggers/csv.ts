// metrics.csv in the run's folder.

import { options } from "../../core/options.ts";
import { csvFile } from "../../run/logged.ts";
import { NumbersLogger } from "./file.ts";

/** Writes `step,name,value` rows into `metrics.csv`. */
export class CSVLogger extends NumbersLogger {
  static override readonly options = options("CSVLogger", {});
  protected override readonly numbers = csvFile;
}
