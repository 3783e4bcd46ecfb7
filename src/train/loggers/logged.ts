// What a run's folder has of the numbers that were logged in it, for who looks at a run that is over or goes on elsewhere.
import { exists, readText } from "#files";
import { CheckpointError } from "../../core/errors.ts";
import { LoggedNumbers } from "../history.ts";
import type { History } from "../run.ts";
import { csvValues } from "./csv.ts";
import { jsonlValues } from "./jsonl.ts";

/** The files that hold every logged number, exactly, in the order in which they are looked for. */
const files = { "metrics.csv": csvValues, "metrics.jsonl": jsonlValues } as const;

/** What was read of a folder. */
export interface LoggedFile {
  /** Its name; undefined where the folder has none of them. */
  readonly file?: string;
  readonly history: History;
  /** Lines that no logger wrote. A last one that was cut off is none of them: it was being written when the run ended. */
  readonly damaged: number;
}

/** Reads `metrics.csv`, or else `metrics.jsonl`, of a run's folder. */
export function readLogged(folder: string): LoggedFile {
  const numbers = new LoggedNumbers();
  const file = (Object.keys(files) as (keyof typeof files)[]).find((name) => exists(`${folder}/${name}`));
  if (file === undefined) return { history: {}, damaged: 0 };
  const lines = readText(`${folder}/${file}`, CheckpointError).split("\n");
  // What follows the last line feed is nothing, or a line that was cut off.
  lines.pop();
  let damaged = 0;
  for (const line of lines) {
    const values = files[file](line);
    if (values === undefined) damaged++;
    for (const [step, name, value] of values ?? []) numbers.add(step, { [name]: value });
  }
  return { file, history: numbers.all(), damaged };
}
