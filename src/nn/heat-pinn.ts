// A physics-informed network (Raissi, Perdikaris and Karniadakis 2019) for the heat equation on a rod. Its loss is its own: how far it is from the equation, by derivatives of itself.
import { refuse, ShapeError } from "../core/errors.ts";
import { count, type Given, list, positive } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { gradients } from "../program/gradients.ts";
import { concat, sin, slice } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Sequential } from "./containers.ts";
import { checked, Layer, layerOptions } from "./layer.ts";
import { mlp } from "./mlp.ts";

const record = layerOptions("heat_pinn", {
  /** Sizes of the hidden layers, which are followed by tanh. */
  hidden: list(count, 1, "at least one size"),
  /** α of the equation, in squared lengths of the rod in a unit of time. */
  diffusivity: positive.default(0.1),
});
export type HeatPinnOptions = Given<typeof record>;

/** u of ∂u/∂t = α·∂²u/∂x² with u(0, t) = u(1, t) = 0 and u(x, 0) = sin πx. inputs: [batch, 2] of x in [0, 1] and t ≥ 0 → `outputs`, u [batch, 1], and `loss`, the mean of (∂u/∂t − α·∂²u/∂x²)². */
export class HeatPinn extends Layer<Readonly<Record<"loss" | "outputs", Tensor>>> {
  readonly diffusivity: number;
  readonly network: Sequential;

  constructor(options: HeatPinnOptions) {
    super(checked(record.signature, arguments));
    const { hidden, diffusivity } = record.fill(options);
    this.diffusivity = diffusivity;
    this.network = mlp({ sizes: [2, ...hidden, 1], activation: "tanh" });
  }

  /** u = sin πx + t·x·(1 − x)·network(x, t): its edges and its start are right whatever the network says (Lagaris, Likas and Fotiadis 1998). Throws ShapeError for other inputs. */
  protected override apply(inputs: Tensor): Readonly<Record<"loss" | "outputs", Tensor>> {
    if (inputs.rank !== 2 || inputs.shape[1] !== 2)
      refuse(ShapeError, this.where, "not points in space and time", inputs, "[batch, 2] of x and t");
    const [x, t] = [0, 1].map((i) => slice(inputs, [null, [i, i + 1]]));
    const free = this.network.forward(concat([x, t], 1)) as Tensor;
    const outputs = sin(x.mul(Math.PI)).add(t.mul(x).mul(x.neg().add(1)).mul(free));
    const [byX, byT] = gradients(outputs.sum(), [x, t]);
    const [byXX] = gradients(byX.sum(), [x]);
    const residual = byT.sub(byXX.mul(this.diffusivity));
    return { loss: residual.mul(residual).mean(), outputs };
  }
}

/**
 * A physics-informed network for the heat equation. Throws ShapeError for sizes that don't fit.
 * @torch none: a module of one's own
 * @golden none: its test holds its derivatives to float64
 * @example nn.heatPinn({ hidden: [4] }).forward(zeros([3, 2]))
 */
export const heatPinn = maker(record, HeatPinn);
