// What layers that normalise have in common.
import type { Shape } from "../core/shape.ts";
import { Parameter } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { Layer } from "./layer.ts";

/** What is multiplied and added after normalising, of which extents, and what is added to the variance before. */
interface NormParts {
  readonly extents: Shape;
  readonly weight: boolean;
  readonly bias: boolean;
  readonly epsilon: number;
}

/** A layer that normalises: `weight`, ones at first, multiplies and `bias`, zeros, is added, where it has them. */
export abstract class Norm extends Layer {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
  readonly epsilon: number;

  constructor(where: string, { extents, weight, bias, epsilon }: NormParts) {
    super(where);
    this.epsilon = epsilon;
    if (weight) this.weight = new Parameter(ones(extents));
    if (bias) this.bias = new Parameter(zeros(extents));
  }

  protected override describe(): string {
    return `(${this.weight?.shape.join(" × ")})`;
  }
}
