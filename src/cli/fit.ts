// `seedgrad fit CONFIG`: trains, and where the config is a preset's compares the digest with the published one.

import { ConfigError } from "../core/errors.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { Run } from "../train/fit.ts";
import { messages, type Outcome } from "./command.ts";
import { checkpointChoice, overridesOf, type RunFlags } from "./flags.ts";
import { freshFolder, publishedFor } from "./presets.ts";

/** Trains a config from its file. Exit code 1 when the digest differs from the published one. */
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
  const { trainer, train, val } = buildTrainer(config, { loggers: [...trainerOptions(config).loggers!, messages] });
  const choice = flags.ckpt === undefined ? { ckptPath: config.trainer.fit.ckptPath } : checkpointChoice(flags);
  const run = await trainer.fit(train!, val, choice);
  const published = publishedFor(file, config);
  const { equal, lines } = compare(run, published);
  return {
    code: equal === false ? 1 : 0,
    json: { ...runJson(run), ...(equal !== undefined && { equal }) },
    lines: [...runLines(run), ...lines],
  };
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
