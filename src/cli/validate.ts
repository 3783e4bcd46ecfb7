// `seedgrad validate WHAT` and `test WHAT`: the weights of the latest checkpoint, or of one that is named, on the validation data or the test data of a
// config or of the config in a run's folder; and `validate-all`: of every checkpoint, on every loader.

import { missingKey } from "../core/keys.ts";
import { buildTrainer } from "../train/config/build.ts";
import { fitValidations, makeValidation } from "../train/config/loaders.ts";
import type { Config } from "../train/config/schema.ts";
import { messages, type Outcome, table } from "./command.ts";
import { checkpointChoice, type RunFlags } from "./flags.ts";
import { configOf, readConfig } from "./imports.ts";

/** Validates a config's or a run's model. */
export const validate = (what: string, flags: RunFlags): Promise<Outcome> =>
  evaluated("validate", what, flags, ({ validate: own, fit }) => ({
    own,
    loader: own ? makeValidation(own.valDataloader, fit?.trainDataloader) : fit && fitValidations(fit)[0],
    expected: "val_dataloader there or under trainer.fit",
  }));

/** Tests a config's or a run's model. */
export const test = (what: string, flags: RunFlags): Promise<Outcome> =>
  evaluated("test", what, flags, ({ test: own, fit }) => ({
    own,
    loader: own && makeValidation(own.testDataloader, fit?.trainDataloader, "test_dataloader"),
    expected: "test_dataloader",
  }));

/** What a command finds in a config: its own section, if there is one, and the data. */
interface Found {
  readonly own: Config["trainer"]["validate"] | Config["trainer"]["test"];
  readonly loader: ReturnType<typeof makeValidation> | undefined;
  /** Where the data may be written. */
  readonly expected: string;
}

async function evaluated(
  method: "validate" | "test",
  what: string,
  flags: RunFlags,
  find: (trainer: Config["trainer"]) => Found,
): Promise<Outcome> {
  const file = configOf(what) ?? what;
  const folder = file === what ? undefined : what;
  const config = await readConfig(file, folder === undefined ? flags : { modelDir: folder, ...flags }, folder);
  const { own, loader, expected } = find(config.trainer);
  if (!loader) throw missingKey(`${file}: trainer.${method}`, expected);
  const { trainer } = buildTrainer({ trainer: { init: config.trainer.init } }, { loggers: [messages] });
  const choice = flags.ckpt === undefined ? { ckptPath: own?.ckptPath } : checkpointChoice(flags);
  const metrics = await trainer[method](loader, { ...choice, weights: flags.weights ?? own?.weights });
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
  const expected = "val_dataloaders there, or val_dataloader under trainer.validate or trainer.fit";
  if (list.length === 0) throw missingKey(`${file}: trainer.validate_all`, expected);
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
