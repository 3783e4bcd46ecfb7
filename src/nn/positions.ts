// Where in a sequence a vector is: learned, sinusoidal, or as a rotation of queries and keys.
import { refuse, ShapeError } from "../core/errors.ts";
import { type Given, positive } from "../core/options.ts";
import { cos, power, sin } from "../core/real.ts";
import { Parameter } from "../program/variable.ts";
import { tensor } from "../tensor/creation.ts";
import { concat, neg, normal, slice } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checked, extent, factoryOf, Layer, layerOptions } from "./layer.ts";

const waveFields = {
  /** The longest wave is 2π · base positions. */
  base: positive.default(10000),
};
const extents = { context: extent, width: extent };
const unlearned = "it has no options: initial weights are given by weight.assign";
const learnedCall = layerOptions("learnedPositions", {}).call(extents, unlearned);
const sinusoidal = layerOptions("sinusoidalPositions", waveFields);
const sinusoidalCall = sinusoidal.call(extents);
const rotary = layerOptions("rotaryPositions", waveFields);
const rotaryCall = rotary.call(extents);
export type PositionOptions = Given<typeof rotary>;

/** Throws ShapeError unless the last axes are [time ≤ context, width]. */
function checkSequence(where: string, inputs: Tensor, [context, width]: readonly number[]): number {
  const [time, last] = inputs.shape.slice(-2);
  if (inputs.rank >= 2 && time <= context && last === width) return time;
  const expected = `[..., time, ${width}], time ≤ ${context}`;
  refuse(ShapeError, where, "not sequences of vectors that fit the context", inputs, expected);
}

function checkPairs(where: string, width: number): void {
  if (width % 2 !== 0) refuse(ShapeError, where, "no pairs", `width ${width}`, "an even width");
}

/** [context, width] of f(position · base^(−2i ÷ width)), i < width ÷ 2, in float64, each rounded once. */
function waves(context: number, width: number, base: number, columns: (angle: number) => readonly number[]): Tensor {
  const frequencies = Array.from({ length: width / 2 }, (_, i) => 1 / power(base, (2 * i) / width));
  const rows = Array.from({ length: context }, (_, at) => frequencies.map((each) => columns(at * each)));
  return tensor(Float32Array.from(rows.flat(2)), { shape: [context, (width / 2) * columns(0).length] });
}

/** x plus a vector for each position. x: [..., time ≤ context, width] → the same. weight: [context, width] from N(0, 1), as an embedding's. */
export class LearnedPositions extends Layer {
  readonly weight: Parameter;

  constructor(context: number, width: number) {
    super(checked(learnedCall, arguments));
    this.weight = new Parameter(normal([context, width]));
  }

  protected override apply(inputs: Tensor): Tensor {
    const time = checkSequence(this.where, inputs, this.weight.shape);
    return inputs.add(slice(this.weight, [[0, time]]));
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/**
 * Learned positions for sequences of up to `context` vectors of `width` elements: added to them.
 * @torch none: torch.nn.Embedding of positions, added
 * @example nn.learnedPositions(16, 8).forward(zeros([2, 5, 8]))
 * @golden gpt, as a part of it
 */
export const learnedPositions = /* @__PURE__ */ factoryOf(LearnedPositions);

/** x plus sin(p · base^(−2i ÷ width)) in column 2i and the cosine of it in column 2i + 1, at position p (Vaswani et al. 2017). x: [..., time ≤ context, width] → the same. */
export class SinusoidalPositions extends Layer {
  readonly #table: Tensor;

  constructor(context: number, width: number, options: PositionOptions = {}) {
    super(checked(sinusoidalCall, arguments));
    checkPairs(this.where, width);
    this.#table = waves(context, width, sinusoidal.fill(options).base, (angle) => [sin(angle), cos(angle)]);
  }

  protected override apply(inputs: Tensor): Tensor {
    const time = checkSequence(this.where, inputs, this.#table.shape);
    return inputs.add(slice(this.#table, [[0, time]]));
  }

  protected override describe(): string {
    return `(${this.#table.shape.join(" × ")})`;
  }
}

/**
 * Sinusoidal positions for sequences of up to `context` vectors of `width` elements: added to them, and not trained.
 * @torch none: PositionalEncoding of its tutorials
 * @example nn.sinusoidalPositions(16, 8).forward(zeros([2, 5, 8]))
 */
export const sinusoidalPositions = /* @__PURE__ */ factoryOf(SinusoidalPositions);

/** Each pair (xᵢ, xᵢ₊ₕ), h = width ÷ 2, turned by p · base^(−2i ÷ width) at position p, so that products of queries and keys see how far apart they are (Su et al. 2021, halves as in GPT-NeoX and LLaMA). x: [..., time ≤ context, width] → the same. */
export class RotaryPositions extends Layer {
  readonly #cosines: Tensor;
  readonly #sines: Tensor;

  constructor(context: number, width: number, options: PositionOptions = {}) {
    super(checked(rotaryCall, arguments));
    checkPairs(this.where, width);
    const { base } = rotary.fill(options);
    this.#cosines = waves(context, width, base, (angle) => [cos(angle)]);
    this.#sines = waves(context, width, base, (angle) => [sin(angle)]);
  }

  protected override apply(inputs: Tensor): Tensor {
    const [context, half] = this.#cosines.shape;
    const time = checkSequence(this.where, inputs, [context, 2 * half]);
    const leading = inputs.shape.slice(0, -1).map(() => null);
    const [first, second] = [0, half].map((from) => slice(inputs, [...leading, [from, from + half]]));
    const whole = (table: Tensor) => {
      const rows = slice(table, [[0, time]]);
      return concat([rows, rows], -1);
    };
    return inputs.mul(whole(this.#cosines)).add(concat([neg(second), first], -1).mul(whole(this.#sines)));
  }

  protected override describe(): string {
    const [context, half] = this.#cosines.shape;
    return `(${context} × ${2 * half})`;
  }
}

/**
 * Rotary positions for sequences of up to `context` vectors of `width` elements, those of a head: what queries and keys go through.
 * @torch none: torchtune.modules.RotaryPositionalEmbeddings
 * @example nn.rotaryPositions(16, 4).forward(zeros([2, 2, 5, 4]))
 */
export const rotaryPositions = /* @__PURE__ */ factoryOf(RotaryPositions);
