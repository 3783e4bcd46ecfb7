// The loggers that a config may name: `loggers: [CSVLogger: {}]`.
import type { Logger } from "../contract.ts";
import { CSVLogger } from "../loggers/csv.ts";
import { JSONLLogger } from "../loggers/jsonl.ts";
import { ProgressLogger } from "../loggers/progress.ts";
import { ReportLogger } from "../loggers/report.ts";
import { TensorBoardLogger } from "../loggers/tensorboard.ts";
import { Catalog } from "./catalog.ts";

export const loggers = new Catalog<Logger, void, "class">("logger", "class", "a logger: a map with one key")
  .add("ProgressLogger", {}, () => new ProgressLogger())
  .add("CSVLogger", {}, () => new CSVLogger())
  .add("JSONLLogger", {}, () => new JSONLLogger())
  .add("ReportLogger", {}, () => new ReportLogger())
  .add("TensorBoardLogger", {}, () => new TensorBoardLogger());

/** What a run from YAML has unless it is switched off with `Name: null`. */
export const defaultLoggers: readonly string[] = ["ProgressLogger", "CSVLogger", "JSONLLogger", "ReportLogger"];
