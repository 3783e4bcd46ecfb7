// Low-rank adaptation (Hu et al. 2021): linear layers keep their weights, and a product of two thin matrices beside each is trained.

import { checkArguments, count, kind, real, signature } from "../../core/arguments.ts";
import { ConfigError } from "../../core/errors.ts";
import { select } from "../../core/glob.ts";
import { countOf, type Given, list, nonNegative, options, text } from "../../core/options.ts";
import { configured } from "../../core/things.ts";
import { checkForward } from "../../nn/check.ts";
import { setTrained } from "../../nn/functional.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { namedModules } from "../../nn/naming.ts";
import { Parameter } from "../../program/variable.ts";
import { withStream } from "../../rng/stream.ts";
import { linear, matmul, uniform, zeros } from "../../tensor/functions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
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

const layerCall = signature("LoraLinear", {
  layer: kind("a linear layer", (value) => value instanceof Linear),
  rank: kind("a number of columns, an integer ≥ 1", (value) => count.accepts(value) && value !== 0),
  scale: real,
});
const mergedCall = signature("LoraLinear.merged", {});

/** y = x·Wᵀ + b + (x·Aᵀ)·Bᵀ·scale, W and b of the layer it stands for. loraA: [rank, inputs] from U(±1/√inputs), loraB: [outputs, rank], zeros at first. */
export class LoraLinear extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly loraA: Parameter;
  readonly loraB: Parameter;
  readonly #scale: number;

  constructor(layer: Linear, rank: number, scale: number) {
    checkArguments(layerCall, arguments);
    super();
    const { weight, bias } = layer;
    const [outputs, inputs] = weight.shape;
    const bound = 1 / Math.sqrt(inputs);
    this.weight = weight;
    if (bias) this.bias = bias;
    this.loraA = new Parameter(uniform([rank, inputs], -bound, bound));
    this.loraB = new Parameter(zeros([outputs, rank]));
    this.#scale = scale;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("LoraLinear", arguments);
    const update = linear(linear(inputs, this.loraA), this.loraB);
    return linear(inputs, this.weight, this.bias).add(update.mul(this.#scale));
  }

  /** W + scale·B·A: the weight of a plain layer that gives the same, but for rounding. → [outputs, inputs] */
  merged(): Tensor {
    checkArguments(mergedCall, arguments);
    return this.weight.add(matmul(this.loraB, this.loraA).mul(this.#scale));
  }

  protected override describe(): string {
    const [outputs, inputs] = this.weight.shape;
    return `(${inputs} → ${outputs}, rank ${this.loraA.shape[0]})`;
  }
}

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
      throw new ConfigError({
        where: "Lora",
        problem: "there is no linear layer inside the model",
        got: model.constructor.name,
        expected: "a model that holds some",
        hint: model instanceof Linear ? "wrap it: nn.sequential(…)" : undefined,
      });
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

/** Puts a module in another's place, wherever the tree holds it: as a property, or in a list. */
function replaceModule(tree: Module, old: Module, next: Module): void {
  for (const [name, value] of Object.entries(tree)) {
    if (value === old) Object.assign(tree, { [name]: next });
    else if (Array.isArray(value))
      Object.assign(tree, { [name]: value.map((item: unknown) => (item === old ? next : item)) });
    else if (value instanceof Module) replaceModule(value, old, next);
    if (Array.isArray(value)) for (const item of value) if (item instanceof Module) replaceModule(item, old, next);
  }
}
