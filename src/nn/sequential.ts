// Layers one after another.
import { checkNone, signature } from "../core/arguments.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { module } from "./check.ts";
import { checked, Layer } from "./layer.ts";
import type { Batch, ModelOutput, Module } from "./module.ts";

const call = signature("nn.sequential", { "...layers": module });

/** What the last of the layers returns. */
type OutputOf<L extends readonly Module[]> = L extends readonly [...Module[], infer Last extends Module]
  ? ReturnType<Last["forward"]>
  : L extends readonly []
    ? Tensor
    : ReturnType<L[number]["forward"]>;

/** Applies its layers in order; each but the last must return a tensor. Children are named "0", "1", … */
export class Sequential<Output extends ModelOutput = ModelOutput> extends Layer<Output, Batch> {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super(checked(call, layers));
    this.layers = layers;
  }

  override namedChildren(): [string, Module][] {
    checkNone("namedChildren", arguments);
    return Object.entries(this.layers);
  }

  protected override apply(inputs: Tensor, batch?: Batch): Output {
    return this.layers.reduce<ModelOutput>((x, layer) => layer.forward(x as Tensor, batch), inputs) as Output;
  }
}

/**
 * A module that applies the given ones in order.
 * @torch torch.nn.Sequential
 * @example nn.sequential(nn.linear(4, 3), nn.relu()).forward(zeros([2, 4]))
 */
export function sequential<const L extends readonly Module[]>(...layers: L): Sequential<OutputOf<L>> {
  return new Sequential<OutputOf<L>>(...layers);
}
