// Verification of a run's folder: its program is made again from its config, or as the caller says, and replayed. A config alone is trained, and held
// against a digest that was published.

import { callable, checkArguments, options as optionsOf, signature, string } from "../core/arguments.ts";
import { ConfigError, ReproError } from "../core/errors.ts";
import { compareFacts } from "../run/facts.ts";
import { readManifest } from "../run/manifest.ts";
import type { Verification } from "../run/verification.ts";
import { replayKinds } from "../train/arguments.ts";
import { buildTrainer, trainerOptions } from "../train/config/build.ts";
import { loadConfig } from "../train/config/parse.ts";
import type { Config } from "../train/config/schema.ts";
import { programFacts } from "../train/facts.ts";
import { type Rebuild, type ReplayOptions, replayed } from "../train/replay.ts";
import { validationDecides } from "../train/validations.ts";
import { published, requireRun } from "./folder.ts";
import { withData } from "./relocate.ts";
import { remake } from "./remake.ts";
import { replayRun } from "./replay.ts";

export interface VerifyOptions extends ReplayOptions {
  /** How a run that was made in code is made again: `(changes) => ({ trainer: new Trainer({ ...options, ...changes }), train })`. A YAML run needs none. */
  readonly rebuild?: Rebuild;
  /** Of a YAML run: where the files and folders of data lie that its config names, each found by as much of the end of its path as is there. */
  readonly data?: string;
}

const runCall = signature("verifyRun", {
  folder: string,
  "options?": optionsOf<VerifyOptions>({ ...replayKinds, "rebuild?": callable, "data?": string }),
});
const configCall = signature("verifyConfig", { file: string, options: optionsOf<ReplayOptions>(replayKinds) });

/** Replays a run from its folder: see `replayRun`. Throws ReproError for a run made in code without `rebuild`, ConfigError for a path that is no run's folder. */
export async function verifyRun(folder: string, given: VerifyOptions = {}): Promise<Verification> {
  checkArguments(runCall, arguments);
  const { rebuild, data, ...options } = given;
  requireRun(folder);
  return replayRun(folder, rebuild ?? rebuildFromConfig(folder, data), options);
}

/** How a YAML run is made again: from the config in its folder; `data`: where the files that it names lie now. Throws CheckpointError where there is no manifest, ReproError for a run made in code. */
export function rebuildFromConfig(folder: string, data?: string): Rebuild {
  if (readManifest(`${folder}/manifest.json`).config === null) {
    throw new ReproError({
      where: folder,
      problem: "the run was made in code, and no file holds its program",
      hint: `in the program that made it, with its trainer: await trainer.verify(${JSON.stringify(folder)}), or verifyRecordedRun for what recordRun made`,
    });
  }
  const config = loadConfig(`${folder}/config.yaml`);
  return rebuildConfig(config, data === undefined ? config : withData(config, data));
}

/** How a config's program is made: its own callbacks but for those that only watch, then those of `changes`. `here`: the same with its data where they lie now. */
export function rebuildConfig(config: Config, here = config): Rebuild {
  return ({ callbacks = [], ...changes }) => {
    const { fit, init } = config.trainer;
    const { trainDataloader, valDataloader, valDataloaders } = fit ?? {};
    const data = valDataloader ?? valDataloaders?.[0] ?? trainDataloader?.validationSplit;
    const validates = data !== undefined && init.loop.evalFrequency !== undefined;
    const all = [...replayed(trainerOptions(config).callbacks!, { validates }), ...callbacks];
    const { trainer, train, vals } = buildTrainer(here, { ...changes, config, callbacks: all });
    return { trainer, train, val: vals };
  };
}

/** Trains a config in memory and holds its digest against a published one, which must be given; there is no chain to compare. Throws ConfigError. */
export async function verifyConfig(file: string, options: ReplayOptions): Promise<Verification> {
  checkArguments(configCall, arguments);
  const { against, from, steps, backend, threads } = options;
  if (against === undefined || from !== undefined || steps !== undefined) {
    throw new ConfigError({
      where: file,
      problem: "a config can only be checked against a final digest",
      got: against === undefined ? "nothing to hold it against" : "from or steps",
      expected: "against alone: a digest, a manifest, or a run's folder",
    });
  }
  const { digest: expected, manifest } = published(against);
  const { trainer, train, validations } = remake(`${file}: trainer.fit`, rebuildConfig(loadConfig(file)), {
    backend,
    threads,
  });
  const decides = validationDecides(trainer);
  const run = await trainer.fit(train, decides ? validations : [], { ckptPath: null });
  const { digest, steps: taken } = run;
  const others = manifest
    ? compareFacts(manifest, programFacts(trainer, train, validations), ["graph", "validation"])
    : [];
  const told = others.map(({ kind, what, first, second }) =>
    kind === "graph" ? `: graph ${second}, published ${first}` : `; ${what} is ${second}, published ${first}`,
  );
  const equal = digest === expected;
  return {
    verdict: equal ? "same" : "different",
    equal,
    digest,
    expected,
    from: 0,
    steps: taken,
    ...(!equal && { difference: `the digest${told.join("")}` }),
    checks: [
      { what: "digest", found: equal ? "same" : "differs" },
      {
        what: "all else that was published of the run",
        found: "trusted",
        detail: "a config has only its digest to be held against",
      },
    ],
    backend: run.backend,
    threads: run.threads,
    vectorWidth: (await trainer.backend()).target.vectorWidth,
  };
}
