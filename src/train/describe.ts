// How a Trainer is written down: its effective config, and the numbers of its optimizer.

import { atOnce } from "../core/promise.ts";
import { isRelative, type RunLength, stepsOf } from "../optim/duration.ts";
import { groupNumbers } from "../optim/groups.ts";
import { OptimizerSet } from "../optim/set.ts";
import { toYamlForm } from "./config/form.ts";
import { configToYaml } from "./config/parse.ts";
import type { Config } from "./config/schema.ts";
import { show } from "./config/validate.ts";
import type { TrainerView } from "./contract.ts";
import { belongsToRun } from "./validations.ts";

/** The config file's name and text, and the config as the manifest holds it: null for a run made in code, whose program no file holds. */
export function describeOptions({ options, seed, model, optimizer }: TrainerView): {
  name: string;
  text: string;
  config: unknown;
} {
  const config = options.config as Config | undefined;
  if (config) {
    const { init } = config.trainer;
    const effective = { ...config, trainer: { ...config.trainer, init: { ...init, seed } } };
    return { name: "config.yaml", text: configToYaml(effective), config: toYamlForm(effective) };
  }
  const { modelDir, precision, loop, checkpoint, logging, deterministic, threads, audit, backend, metrics, loss } =
    options;
  const described = {
    seed: seed.toString(),
    modelDir,
    model: String(model),
    loss: loss?.name ?? "the model's own",
    metrics: metrics.map(({ name }) => name),
    optimizer: optimizer && { class: optimizer.constructor.name, groups: optimizer.groups.map(groupNumbers) },
    precision,
    loop,
    checkpoint,
    logging,
    deterministic,
    threads,
    audit,
    backend: typeof backend === "string" ? backend : backend && show(backend.name),
  };
  return { name: "config.json", text: `${JSON.stringify(described, null, 2)}\n`, config: null };
}

/**
 * Every number of optimizer, schedules, clipping and callbacks that train under its path, and those of each parameter group that no schedule moves. What
 * is true or false of schedules and callbacks is 1 or 0; a word is part of the path, and 1. A
 * config says them, and durations stand as the steps that they are in a run of this length; in code, schedules and callbacks say what they were made with.
 */
export function optimizerNumbers(trainer: TrainerView, length: RunLength): Record<string, number> {
  const { options, optimizer, schedules, callbacks } = trainer;
  const numbers: Record<string, number> = {};
  const visit = (value: unknown, path: string, words = false) => {
    if (typeof value === "number") numbers[path] = value;
    else if (isRelative(value)) numbers[path] = stepsOf(value, length);
    else if (words && typeof value === "boolean") numbers[path] = Number(value);
    else if (words && typeof value === "string") numbers[`${path}/${value}`] = 1;
    else if (typeof value === "function") visit((value as { options?: unknown }).options, path, words);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}/${key}`, words);
  };
  const init = (options.config as Config | undefined)?.trainer.init;
  if (init) {
    const { optimizer: chosen, optimizers, schedulers, precision } = init;
    visit(toYamlForm({ optimizer: chosen, precision }), "");
    visit(toYamlForm({ schedulers, optimizers }), "", true);
    const own = [...callbacks.values()].filter(
      (callback) => callback.changesTraining !== undefined && belongsToRun(trainer, callback),
    );
    const trains = new Set(own.map(({ name }) => name));
    const training = init.callbacks.filter((choice) => trains.has(choice.class));
    // A file's content is in the data's digests; its path does not affect results.
    for (const { class: name, path: _file, ...chosen } of training)
      visit(toYamlForm(chosen), `callbacks/${name}`, true);
  } else {
    if (options.precision.lossScalingFactor === "dynamic")
      numbers["precision/initialLossScale"] = options.precision.initialLossScale;
    visit(schedules?.all, "schedulers", true);
    const turns = optimizer instanceof OptimizerSet ? optimizer.parts : [];
    visit(
      turns.map(({ frequency, minimizes }) => ({ frequency, minimizes })),
      "optimizers",
      true,
    );
    for (const [name, callback] of callbacks)
      if (belongsToRun(trainer, callback))
        visit(atOnce(`${name}.describe`, callback.describe?.()), `callbacks/${name}`, true);
  }
  optimizer?.groups.forEach((group, i) => {
    const fixed = Object.entries(groupNumbers(group)).filter(([key]) => !schedules?.of(group, key));
    visit(Object.fromEntries(fixed), `groups/${i}`);
  });
  return numbers;
}
