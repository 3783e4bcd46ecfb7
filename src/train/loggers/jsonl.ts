// metrics.jsonl in the run's folder.

import { options } from "../../core/options.ts";
import { jsonlFile } from "../../run/logged.ts";
import { NumbersLogger } from "./file.ts";

/** Writes `{"step": …, …}` lines into `metrics.jsonl`; NaN, infinities and −0 as text. */
export class JSONLLogger extends NumbersLogger {
  static override readonly options = options("JSONLLogger", {});
  protected override readonly numbers = jsonlFile;
}
