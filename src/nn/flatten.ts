// The way to images and back: samples in another shape.
import { checkArguments, checkNone, shape as shapeKind, signature } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount, type Shape, sizeOf } from "../core/shape.ts";
import { reshape } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Layer } from "./layer.ts";

const oneList = "the shape is one list: nn.unflatten([1, 28, 28])";
const unflattenCall = signature("nn.unflatten", { shape: shapeKind }, oneList);
const shapeCall = signature("nn.SampleShape", { "shape?": shapeKind });

/** Gives each sample another shape. x: [batch, ...] → [batch, ...shape]. */
export class SampleShape extends Layer {
  readonly shape: Shape | undefined;

  /** Without a shape: one axis. */
  constructor(shape?: Shape) {
    checkArguments(shapeCall, arguments);
    super(shape ? "nn.unflatten" : "nn.flatten");
    for (const extent of shape ?? []) checkCount(this.where, "an extent", extent);
    this.shape = shape;
  }

  protected override apply(inputs: Tensor): Tensor {
    const [batch, ...rest] = inputs.shape;
    const shape = this.shape ?? [sizeOf(rest)];
    if (inputs.rank === 0 || sizeOf(rest) !== sizeOf(shape)) {
      const expected = `[batch, …] with ${sizeOf(shape)} elements a sample`;
      refuse(ShapeError, this.where, "samples of another size", inputs, expected);
    }
    return reshape(inputs, [batch, ...shape]);
  }

  protected override describe(): string {
    return this.shape ? `(${this.shape.join(" × ")})` : "";
  }
}

/**
 * Each sample on one axis: [batch, ...] → [batch, elements].
 * @torch torch.nn.Flatten
 * @example nn.flatten().forward(zeros([2, 3, 4]))
 */
export function flatten(): SampleShape {
  checkNone("nn.flatten", arguments);
  return new SampleShape();
}

/**
 * Each sample in the given shape: [batch, elements] → [batch, ...shape]. Throws ShapeError where the elements are more or fewer.
 * @torch torch.nn.Unflatten
 * @example nn.unflatten([3, 4]).forward(zeros([2, 12]))
 */
export function unflatten(shape: Shape): SampleShape {
  checkArguments(unflattenCall, arguments);
  return new SampleShape(shape);
}
