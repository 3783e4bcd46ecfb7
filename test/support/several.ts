// Short runs of a config, for tests of what is made of several.
import { readFileSync } from "node:fs";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Run } from "../../src/train/run.ts";
import { root } from "./sources.ts";

const preset = readFileSync(`${root}src/presets/penguins.yaml`, "utf8");
const init = "trainer.init";

/** Twelve steps on penguins, validated every four, into a folder; `set`: other keys, as `--set` has them. */
export function trainPenguins(modelDir: string, seed: number, set: readonly string[] = []): Promise<Run> {
  const config = parseConfig(preset, "penguins.yaml", {
    ...{ seed: BigInt(seed), modelDir, maxSteps: 12, backend: "wasm", threads: 1 },
    set: [
      `${init}.loop.eval_frequency=4`,
      `${init}.logging.log_level=silent`,
      `${init}.loggers=[ProgressLogger: null, ReportLogger: null]`,
      ...set,
    ],
  });
  const { trainer, train, vals } = buildTrainer(config);
  return trainer.fit(train!, vals);
}
