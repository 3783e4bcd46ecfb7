// Rows of a table by number.
import { checkArguments, number, signature } from "../core/arguments.ts";
import { Parameter } from "../program/variable.ts";
import { normal, take } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkCount, checkForward } from "./check.ts";
import { Module } from "./module.ts";

const call = signature(
  "nn.embedding",
  { count: number, width: number },
  "it has no options: initial weights are given by weight.assign",
);

/** weight: [count, width] from N(0, 1), as PyTorch's. inputs: [...] int32 in [0, count) → [..., width]. A number out of range is a ShapeError when run. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, width: number) {
    checkArguments(call, arguments);
    super();
    checkCount("embedding", "count", count);
    checkCount("embedding", "width", width);
    this.weight = new Parameter(normal([count, width]));
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.embedding", arguments);
    return take(this.weight, inputs);
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/** A table of `count` vectors of `width` elements. */
export function embedding(count: number, width: number): Embedding {
  checkArguments(call, arguments);
  return new Embedding(count, width);
}
