// The loggers that there are, beside what anyone writes.
export { CSVLogger } from "./csv.ts";
export { JSONLLogger } from "./jsonl.ts";
export { ProgressLogger } from "./progress.ts";
export { ReportLogger } from "./report.ts";
export { TensorBoardLogger } from "./tensorboard.ts";
