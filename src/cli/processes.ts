// The processes of a sweep on this machine: `seedgrad fit` of a run's config, whose file and log lie beside the run's folder.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { makeDirectory, writeAtomic } from "#files";
import type { VectorWidth } from "../backend/wasm/width.ts";
import { ConfigError } from "../core/errors.ts";
import { isRecord, isText, tryJson } from "../run/fields.ts";
import type { Ended, Started } from "../sweep/local.ts";
import type { PlannedRun, SweepPlan } from "../sweep/plan.ts";

/** The file that holds a run's config, beside its folder. */
export function writeConfig({ folder }: SweepPlan, { name, config }: PlannedRun): string {
  makeDirectory(folder, ConfigError);
  const path = `${folder}/${name}.yaml`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== config) writeAtomic(path, new TextEncoder().encode(config));
  return path;
}

/** What its process said, beside its folder. */
export const logOf = ({ folder }: SweepPlan, { name }: PlannedRun): string => `${folder}/${name}.log`;

const here = import.meta.url;

/** Starts `seedgrad fit` of a run's config. It has a group of its own, so that a terminal's Ctrl-C reaches it through the sweep alone, once; what it says is in a file, so that it outlives a sweep that is killed. */
export function startRun(
  plan: SweepPlan,
  run: PlannedRun,
  { vectorWidth }: { readonly vectorWidth?: VectorWidth },
  all: Set<ChildProcess>,
): Started {
  const config = writeConfig(plan, run);
  const path = logOf(plan, run);
  const log = openSync(path, "w");
  const main = fileURLToPath(new URL(here.endsWith(".ts") ? "./main.ts" : "./main.js", here));
  const width = vectorWidth === undefined ? [] : ["--vector-width", String(vectorWidth)];
  const child = spawn(process.execPath, [...process.execArgv, main, "fit", config, "--json", ...width], {
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  all.add(child);
  const ended = new Promise<Ended>((resolve) => {
    child.on("error", (error) => resolve({ code: null, error: String(error) }));
    child.on("exit", (code, signal) => resolve({ code, signal: signal ?? undefined, error: failureIn(path, code) }));
  }).finally(() => all.delete(child));
  return { ended, stop: (signal) => void child.kill(signal as NodeJS.Signals) };
}

/** What a run said of its failure: the last line of its log where it ended by itself; undefined where a signal ended it. */
function failureIn(path: string, code: number | null): string | undefined {
  if (code === null || code === 0) return undefined;
  const last = readFileSync(path, "utf8").trimEnd().split("\n").at(-1)!;
  const found = tryJson(last);
  const error = isRecord(found) && isRecord(found.error) ? found.error : {};
  return isText(error.message) ? error.message.split("\n")[0] : last || undefined;
}
