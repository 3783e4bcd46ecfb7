// `seedgrad validate CONFIG`: the weights of the latest checkpoint, or of one that is named, on the validation data; and `validate-all`: of every
// checkpoint, on every loader.
import { ConfigError } from "../core/errors.ts";
import { buildTrainer } from "../train/config/build.ts";
import { fitValidations, makeValidation } from "../train/config/loaders.ts";
import { messages, type Outcome, table } from "./command.ts";
import { checkpointChoice, type RunFlags } from "./flags.ts";
import { readConfig } from "./imports.ts";

/** Validates a config's model. */
export async function validate(file: string, flags: RunFlags): Promise<Outcome> {
  const config = await readConfig(file, flags);
  const { validate: own, fit, init } = config.trainer;
  const loader = own ? makeValidation(own.valDataloader, fit?.trainDataloader) : fit && fitValidations(fit)[0];
  if (!loader) {
    throw new ConfigError({
      where: `${file}: trainer.validate`,
      problem: "a required key is missing",
      expected: "val_dataloader there or under trainer.fit",
    });
  }
  const { trainer } = buildTrainer({ trainer: { init } }, { loggers: [messages] });
  const choice = flags.ckpt === undefined ? { ckptPath: own?.ckptPath } : checkpointChoice(flags);
  const metrics = await trainer.validate(loader, {
    ...choice,
    weights: flags.weights ?? own?.weights,
  });
  const { seed, step: steps, weightsUsed: weights } = trainer;
  return {
    code: 0,
    json: { metrics, steps, seed, weights },
    lines: [
      `after ${steps} steps${weights === "average" ? ", average of weights" : ""}: ${Object.entries(metrics)
        .map(([name, value]) => `${name} ${value}`)
        .join(" | ")}`,
    ],
  };
}

/** Validates every checkpoint on every loader of `validate_all`, or else of `validate` and `fit`. */
export async function validateAll(file: string, flags: RunFlags & { readonly ckpts?: string }): Promise<Outcome> {
  const config = await readConfig(file, flags);
  const { validateAll: own, validate: one, fit, init } = config.trainer;
  const choices = own?.valDataloaders ?? (one ? [one.valDataloader] : undefined);
  const list =
    choices?.map((choice) => makeValidation(choice, fit?.trainDataloader)) ?? (fit ? fitValidations(fit) : []);
  if (list.length === 0) {
    throw new ConfigError({
      where: `${file}: trainer.validate_all`,
      problem: "a required key is missing",
      expected: "val_dataloaders there, or val_dataloader under trainer.validate or trainer.fit",
    });
  }
  const { trainer } = buildTrainer({ trainer: { init } }, { loggers: [messages] });
  const found = await trainer.validateAll(list, flags.ckpts ?? own?.ckptPaths, {
    weights: flags.weights ?? own?.weights,
  });
  const names = Object.keys(found[0].metrics);
  const averaged = found.some(({ weights }) => weights === "average");
  const rows = found.map(({ step, metrics, weights }) => [
    String(step),
    ...(averaged ? [weights] : []),
    ...names.map((name) => String(metrics[name])),
  ]);
  return {
    code: 0,
    json: { seed: trainer.seed, checkpoints: found },
    lines: table([["step", ...(averaged ? ["weights"] : []), ...names], ...rows]),
  };
}
