// `seedgrad fit CONFIG`: trains, and where the config is a preset's compares the digest with the published one.

import { ConfigError, type InterruptedError } from "../core/errors.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import { checkPhases, trainPhases } from "../train/config/phases.ts";
import type { Config } from "../train/config/schema.ts";
import type { FitOptions, Run } from "../train/run.ts";
import { messages, type Outcome } from "./command.ts";
import { checkpointChoice, type RunFlags } from "./flags.ts";
import { readPhases } from "./imports.ts";
import { freshFolder, publishedFor } from "./presets.ts";
import { interruptible, shellCommand } from "./signals.ts";

/** Trains a config from its file, phase by phase where it lists several. Exit code 1 when the digest differs from the published one, 129, 130 or 143 when a signal stopped it. */
export async function fitConfig(file: string, flags: RunFlags): Promise<Outcome> {
  let given = flags;
  let phases = await readPhases(file, given);
  if (flags.fresh) {
    const [{ init }] = phases.map(({ trainer }) => trainer);
    const folder = phases.length > 1 ? (flags.modelDir ?? init.modelDir!.replace(/\/phase-1$/, "")) : init.modelDir!;
    given = { ...flags, modelDir: freshFolder(folder) };
    phases = await readPhases(file, given);
  }
  if (phases.length > 1 && flags.ckpt !== undefined) {
    throw new ConfigError({
      where: "--ckpt",
      problem: "a list of phases has no one checkpoint to start from",
      got: flags.ckpt,
      hint: "write ckpt_path under the fit of a phase; left out, each goes on from its own newest",
    });
  }
  checkPhases(file, phases);
  return interruptible(
    (interrupted) => resumeCommand(file, given, phases, interrupted),
    async (signal) => (phases.length === 1 ? fitOne(file, phases[0], flags, signal) : fitPhases(phases, signal)),
  );
}

async function trainConfig(config: Config, options: FitOptions): Promise<Run> {
  const { trainer, train, vals } = buildTrainer(config, { loggers: [...trainerOptions(config).loggers!, messages] });
  return trainer.fit(train!, vals, options);
}

async function fitOne(file: string, config: Config, flags: RunFlags, signal: AbortSignal): Promise<Outcome> {
  const { ckptPath } = config.trainer.fit!;
  const choice = flags.ckpt === undefined ? { ckptPath } : checkpointChoice(flags);
  const run = await trainConfig(config, { ...choice, signal });
  const { equal, lines } = compare(run, publishedFor(file, config));
  return {
    code: equal === false ? 1 : 0,
    json: { ...runJson(run), ...(equal !== undefined && { equal }) },
    lines: [...runLines(run), ...lines],
  };
}

async function fitPhases(phases: readonly Config[], signal: AbortSignal): Promise<Outcome> {
  const runs = await trainPhases(phases, (config, i) => {
    messages.logMessage!("info", `phase ${i + 1} of ${phases.length}`);
    return trainConfig(config, { ckptPath: config.trainer.fit!.ckptPath, signal });
  });
  return {
    code: 0,
    json: { digest: runs.at(-1)!.digest, phases: runs.map(runJson) },
    lines: runs.flatMap((run, i) => [`# phase ${i + 1}`, ...runLines(run)]),
  };
}

/** The command that goes on with an interrupted run: what was given, in the folder that was used. */
function resumeCommand(
  file: string,
  flags: RunFlags,
  phases: readonly Config[],
  { checkpoint }: InterruptedError,
): string {
  const { seed, modelDir, maxSteps, set = [], backend, threads, json, import: imports = [], trustImports } = flags;
  const { init, fit } = phases[0].trainer;
  const latest =
    phases.length > 1 || (fit!.ckptPath === undefined && (init.checkpoint?.autoloadLastCheckpoint ?? true));
  const given = {
    seed,
    "model-dir": modelDir,
    "max-steps": maxSteps,
    backend,
    threads,
    ckpt: latest ? undefined : checkpoint,
  };
  const words = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  words.push(...set.flatMap((text) => ["--set", text]));
  words.push(...imports.flatMap((name) => ["--import", name]), ...(trustImports ? ["--trust-imports"] : []));
  return shellCommand([...callerWords(), "fit", file, ...words, ...(json ? ["--json"] : [])]);
}

/** What the command is called where this one was: in a script of the repository, by npx, or where it is installed. npm says so to what it runs. */
export function callerWords({ npm_lifecycle_event: event, npm_package_name: owner } = process.env): string[] {
  if (event === "npx") return ["npx", "seedgrad"];
  return event !== undefined && owner === "seedgrad" ? ["npm", "run", "seedgrad", "--"] : ["seedgrad"];
}

/** What the published digest says of a run; `equal` is undefined where there is nothing to compare with. */
function compare(run: Run, published: ReturnType<typeof publishedFor>): { equal?: boolean; lines: string[] } {
  if (!published) return { lines: [] };
  if (typeof published === "string") {
    return { lines: [`not compared with the digest published with the preset: ${published}`] };
  }
  const { digest, graphHash } = published;
  if (digest === run.digest && graphHash === run.graphHash) {
    return { equal: true, lines: ["equals the digest published with the preset"] };
  }
  return { equal: false, lines: [`DIFFERS from the digest published with the preset: ${digest} (graph ${graphHash})`] };
}

/** A run as `--json` gives it. */
function runJson(run: Run): Record<string, unknown> {
  const { digest, graphHash, seed, steps, loss, metrics, seconds, backend, threads, streamPosition, directory } = run;
  return { digest, graphHash, seed, steps, loss, metrics, seconds, backend, threads, streamPosition, directory };
}

/** A run for people. */
function runLines(run: Run): string[] {
  const metrics = Object.entries(run.metrics).map(([name, value]) => `val_${name} ${value.toPrecision(6)}`);
  return [
    `seed ${run.seed} | ${run.steps} steps | loss ${run.loss.toPrecision(6)}${metrics.map((text) => ` | ${text}`).join("")}`,
    `${run.seconds.toFixed(1)} s | ${run.backend}, ${run.threads} thread${run.threads === 1 ? "" : "s"} | stream position ${run.streamPosition}${run.directory === undefined ? "" : ` | ${run.directory}`}`,
    `graph   ${run.graphHash}`,
    `digest  ${run.digest}`,
  ];
}
