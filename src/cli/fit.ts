// `seedgrad fit CONFIG`: trains, and where the config is a preset's compares the digest with the published one.

import { ConfigError, type InterruptedError } from "../core/errors.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import type { Run } from "../train/fit.ts";
import { messages, type Outcome } from "./command.ts";
import { checkpointChoice, overridesOf, type RunFlags } from "./flags.ts";
import { freshFolder, publishedFor } from "./presets.ts";
import { interruptible, shellCommand } from "./signals.ts";

/** Trains a config from its file. Exit code 1 when the digest differs from the published one, 130 or 143 when a signal stopped it. */
export async function fitConfig(file: string, flags: RunFlags): Promise<Outcome> {
  let config = loadConfig(file, overridesOf(flags));
  if (flags.fresh) {
    const modelDir = freshFolder(config.trainer.init.modelDir!);
    config = loadConfig(file, { ...overridesOf(flags), modelDir });
  }
  if (!config.trainer.fit) {
    throw new ConfigError({
      where: `${file}: trainer.fit`,
      problem: "a required key is missing",
      expected: "train_dataloader",
    });
  }
  const { ckptPath } = config.trainer.fit;
  const choice = flags.ckpt === undefined ? { ckptPath } : checkpointChoice(flags);
  return interruptible(
    (interrupted) => resumeCommand(file, flags, config, interrupted),
    async (signal) => {
      const { trainer, train, val } = buildTrainer(config, { loggers: [...trainerOptions(config).loggers!, messages] });
      const run = await trainer.fit(train!, val, { ...choice, signal });
      const published = publishedFor(file, config);
      const { equal, lines } = compare(run, published);
      return {
        code: equal === false ? 1 : 0,
        json: { ...runJson(run), ...(equal !== undefined && { equal }) },
        lines: [...runLines(run), ...lines],
      };
    },
  );
}

/** The command that goes on with an interrupted run: what was given, in the folder that was used. */
function resumeCommand(file: string, flags: RunFlags, { trainer }: Config, { checkpoint }: InterruptedError): string {
  const { seed, modelDir, fresh, maxSteps, backend, threads, json } = flags;
  const { init, fit } = trainer;
  const folder = modelDir !== undefined || fresh ? init.modelDir : undefined;
  const latest = fit!.ckptPath === undefined && (init.checkpoint?.autoloadLastCheckpoint ?? true);
  const given = {
    seed,
    "model-dir": folder,
    "max-steps": maxSteps,
    backend,
    threads,
    ckpt: latest ? undefined : checkpoint,
  };
  const words = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  return shellCommand(["seedgrad", "fit", file, ...words, ...(json ? ["--json"] : [])]);
}

/** What the published digest says of a run; `equal` is undefined where there is nothing to compare with. */
function compare(run: Run, published: ReturnType<typeof publishedFor>): { equal?: boolean; lines: string[] } {
  if (!published) return { lines: [] };
  if (published === "other") {
    return { lines: ["not compared with the digest published with the preset: another config or numerics id"] };
  }
  const { digest, graphHash } = published;
  if (digest === run.digest && graphHash === run.graphHash) {
    return { equal: true, lines: ["equals the digest published with the preset"] };
  }
  return { equal: false, lines: [`DIFFERS from the digest published with the preset: ${digest} (graph ${graphHash})`] };
}

/** A run as `--json` gives it. */
export function runJson(run: Run): Record<string, unknown> {
  const { digest, graphHash, seed, steps, loss, metrics, seconds, backend, threads, streamPosition, directory } = run;
  return { digest, graphHash, seed, steps, loss, metrics, seconds, backend, threads, streamPosition, directory };
}

/** A run for people. */
export function runLines(run: Run): string[] {
  const metrics = Object.entries(run.metrics).map(([name, value]) => `val_${name} ${value.toPrecision(6)}`);
  return [
    `seed ${run.seed} | ${run.steps} steps | loss ${run.loss.toPrecision(6)}${metrics.map((text) => ` | ${text}`).join("")}`,
    `${run.seconds.toFixed(1)} s | ${run.backend}, ${run.threads} thread${run.threads === 1 ? "" : "s"} | stream position ${run.streamPosition}${run.directory === undefined ? "" : ` | ${run.directory}`}`,
    `graph   ${run.graphHash}`,
    `digest  ${run.digest}`,
  ];
}
