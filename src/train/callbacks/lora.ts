// Low-rank adaptation (Hu et al. 2021): linear layers keep their weights, and a product of two thin matrices beside each is trained.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { countOf, type Given, list, nonNegative, options, text } from "../../core/options.ts";
import { setTrained } from "../../nn/functional.ts";
import { Linear } from "../../nn/linear.ts";
import { LoraLinear, replaceModule } from "../../nn/lora.ts";
import { namedModules } from "../../nn/naming.ts";
import { withStream } from "../../rng/stream.ts";
import type { Callback, TrainerView } from "../contract.ts";
import { refuseFinishedOptimizer } from "./selective-grad.ts";

const record = options("Lora", {
  /** Rank of the update. */
  rank: countOf("columns").default(8),
  /** The update is scaled by alpha ÷ rank; twice the rank unless given. */
  alpha: nonNegative.optional(),
  /** Globs of the linear layers that get one. */
  modules: list(text).default(["*"]),
  /** Globs of other parameters that are trained too. */
  train: list(text).default([]),
});
export type LoraOptions = Given<typeof record>;

/** Changes training: puts a LoraLinear in place of each chosen linear layer, drawn from the run's stream after the model, and freezes everything else. Names of the layers' own weights stay, so that a checkpoint of the plain model loads. */
export class Lora extends configured(record) implements Callback {
  readonly changesTraining = true;
  readonly #alpha = this.options.alpha ?? 2 * this.options.rank;

  describe(): unknown {
    return { ...this.options, alpha: this.#alpha };
  }

  setup({ model, options, stream }: TrainerView): void {
    refuseFinishedOptimizer("Lora", options.optimizer);
    const { rank, modules, train } = this.options;
    const layers = namedModules(model).filter(([, module]) => module instanceof Linear);
    if (layers.length === 0 || model instanceof Linear) {
      const expected = "a model that holds some";
      const hint = model instanceof Linear ? "wrap it: nn.sequential(…)" : undefined;
      refuse(ConfigError, "Lora", "there is no linear layer inside the model", model.constructor.name, expected, hint);
    }
    const chosen = select("Lora.modules", layers, modules);
    setTrained("Lora", model, [], false);
    withStream(stream, () => {
      for (const [, layer] of chosen)
        replaceModule(model, layer, new LoraLinear(layer as Linear, rank, this.#alpha / rank));
    });
    if (train.length > 0) setTrained("Lora.train", model, train, true);
  }
}
