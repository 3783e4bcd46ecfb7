// Layers whose weight is made from a parameter at each forward pass: by weight normalisation, or by its largest singular value.
import { ConfigError, refuse, ShapeError } from "../core/errors.ts";
import { count, type Given, nonNegative, numberOf, type Read, text } from "../core/options.ts";
import { formatShape, otherAxes } from "../core/shape.ts";
import { Parameter, substituting, Variable } from "../program/variable.ts";
import { matmul, maximum, normal, sqrt, stopGradient, sum, swapAxes } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { module } from "./check.ts";
import { checked, factoryOf, Layer, layerOptions } from "./layer.ts";
import type { Batch, Module } from "./module.ts";

const shared = {
  /** Which of the layer's parameters. */
  name: text.default("weight"),
  /** The axis of its rows: that of the outputs, 0 in the layers here. */
  axis: numberOf("an axis: an integer ≥ 0", { integer: true, least: 0 }).default(0),
};
const record = layerOptions("weightNorm", shared);
const spectralRecord = layerOptions("spectralNorm", {
  ...shared,
  /** Steps of the power iteration at each forward pass in training. */
  powerIterations: count.default(1),
  /** The least norm that a vector is divided by. */
  epsilon: nonNegative.default(1e-12),
});
export type WeightNormOptions = Given<typeof record>;
export type SpectralNormOptions = Given<typeof spectralRecord>;
const call = record.call({ layer: module });
const spectralCall = spectralRecord.call({ layer: module });

const norm = (x: Tensor, axis?: readonly number[]) => sqrt(sum(x.mul(x), { axis, keepDims: axis !== undefined }));

/** The layer, run with another weight in its parameter's place. */
abstract class Reparametrized<M extends Module> extends Layer<ReturnType<M["forward"]>, Batch> {
  readonly layer: M;
  readonly #parameter: Parameter;

  constructor(where: string, layer: M, { name, axis }: Read<typeof record>) {
    const parameter = (layer as unknown as Record<string, unknown>)[name];
    if (!(parameter instanceof Parameter)) {
      const names = Object.entries(layer).flatMap(([key, value]) => (value instanceof Parameter ? [key] : []));
      const expected = names.join(", ") || "a layer with parameters of its own";
      refuse(ConfigError, where, "the layer itself has no such parameter", name, expected);
    }
    if (parameter.rank < 2 || axis >= parameter.rank) {
      const got = `${name} ${formatShape(parameter.shape)}, axis ${axis}`;
      refuse(ShapeError, where, "no rows along the axis", got, "a parameter of two axes or more, and one of them");
    }
    super(where);
    this.layer = layer;
    this.#parameter = parameter;
  }

  /** The layer's own parameter. */
  protected get parameter(): Parameter {
    return this.#parameter;
  }

  protected override apply(inputs: Tensor, batch?: Batch): ReturnType<M["forward"]> {
    const weights = new Map([[this.#parameter, this.weightNow()]]);
    return substituting(weights, () => this.layer.forward(inputs, batch)) as ReturnType<M["forward"]>;
  }

  /** The weight that the layer sees. */
  protected abstract weightNow(): Tensor;
}

/** A layer whose weight is magnitude · v ÷ ‖v‖ for each row, v being the layer's own parameter (Salimans and Kingma 2016). `magnitude` starts as ‖v‖, so nothing changes at first. */
export class WeightNorm<M extends Module = Module> extends Reparametrized<M> {
  readonly magnitude: Parameter;
  readonly #axes: readonly number[];

  constructor(layer: M, options: WeightNormOptions = {}) {
    const where = checked(call, arguments);
    const read = record.fill(options);
    super(where, layer, read);
    this.#axes = otherAxes(this.parameter.rank, [read.axis]);
    this.magnitude = new Parameter(stopGradient(norm(this.parameter, this.#axes)));
  }

  protected override weightNow(): Tensor {
    return this.parameter.mul(this.magnitude.div(norm(this.parameter, this.#axes)));
  }
}

/**
 * Weight normalisation of a layer: `torch.nn.utils.parametrizations.weight_norm`. Throws ConfigError where it has no such parameter, ShapeError where that is no matrix.
 * @torch torch.nn.utils.parametrizations.weight_norm
 * @example nn.weightNorm(nn.linear(4, 3)).forward(zeros([2, 4]))
 */
export const weightNorm = /* @__PURE__ */ factoryOf(WeightNorm);

/** A layer whose weight is divided by its largest singular value (Miyato et al. 2018), estimated by power iteration: `left` and `right`, its singular vectors, are buffers that each forward pass in training moves on. They start from N(0, 1), left first, and 15 iterations. */
export class SpectralNorm<M extends Module = Module> extends Reparametrized<M> {
  readonly left: Variable;
  readonly right: Variable;
  readonly #options: Read<typeof spectralRecord>;

  constructor(layer: M, options: SpectralNormOptions = {}) {
    const where = checked(spectralCall, arguments);
    const read = spectralRecord.fill(options);
    super(where, layer, read);
    this.#options = read;
    const matrix = this.#matrix();
    const [rows, columns] = matrix.shape;
    const drawn = [normal([rows]), normal([columns])].map((x) => this.#unit(x));
    const [left, right] = this.#iterated(stopGradient(matrix), drawn, 15);
    this.left = new Variable(left);
    this.right = new Variable(right);
  }

  #matrix(): Tensor {
    const { shape, size } = this.parameter;
    const { axis } = this.#options;
    return swapAxes(this.parameter, 0, axis).reshape([shape[axis], size / shape[axis]]);
  }

  #unit(x: Tensor): Tensor {
    return x.div(maximum(norm(x), this.#options.epsilon));
  }

  #iterated(matrix: Tensor, [left, right]: readonly Tensor[], times: number): readonly Tensor[] {
    for (let i = 0; i < times; i++) {
      left = this.#unit(matmul(matrix, right));
      right = this.#unit(matmul(left, matrix));
    }
    return [left, right];
  }

  protected override weightNow(): Tensor {
    const matrix = this.#matrix();
    const held = [this.left, this.right];
    const [left, right] = this.training
      ? this.#iterated(stopGradient(matrix), held, this.#options.powerIterations)
      : held;
    if (this.training) {
      this.left.assign(left);
      this.right.assign(right);
    }
    return this.parameter.div(matmul(left, matmul(matrix, right)));
  }
}

/**
 * Spectral normalisation of a layer: `torch.nn.utils.parametrizations.spectral_norm`. Throws ConfigError where it has no such parameter, ShapeError where that is no matrix.
 * @torch torch.nn.utils.parametrizations.spectral_norm
 * @example nn.spectralNorm(nn.linear(4, 3)).forward(zeros([2, 4]))
 */
export const spectralNorm = /* @__PURE__ */ factoryOf(SpectralNorm);
