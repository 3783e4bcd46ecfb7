// `seedgrad validate CONFIG`: the weights of the latest checkpoint, or of one that is named, on the validation data.
import { ConfigError } from "../core/errors.ts";
import { buildTrainer } from "../train/config/build.ts";
import { loaders } from "../train/config/loaders.ts";
import { messages, type Outcome } from "./command.ts";
import { checkpointChoice, type RunFlags } from "./flags.ts";
import { readConfig } from "./imports.ts";

/** Validates a config's model. */
export async function validate(file: string, flags: RunFlags): Promise<Outcome> {
  const config = await readConfig(file, flags);
  const { validate: own, fit, init } = config.trainer;
  const loader = own?.valDataloader ?? fit?.valDataloader;
  if (!loader) {
    throw new ConfigError({
      where: `${file}: trainer.validate`,
      problem: "a required key is missing",
      expected: "val_dataloader there or under trainer.fit",
    });
  }
  const { trainer } = buildTrainer({ trainer: { init } }, { loggers: [messages] });
  const choice = flags.ckpt === undefined ? { ckptPath: own?.ckptPath } : checkpointChoice(flags);
  const metrics = await trainer.validate(loaders.make(loader), choice);
  const { seed, step: steps } = trainer;
  return {
    code: 0,
    json: { metrics, steps, seed },
    lines: [
      `after ${steps} steps: ${Object.entries(metrics)
        .map(([name, value]) => `${name} ${value}`)
        .join(" | ")}`,
    ],
  };
}
