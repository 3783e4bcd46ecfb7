// Initial weights as functions of a shape, drawn from the ambient stream. `init` of a layer takes one, or the name of one that needs no options. Fans are
// PyTorch's: of a weight [outputs, inputs, ...window] inputs · window and outputs · window.
import {
  boolean,
  callable,
  checkArguments,
  either,
  type Kind,
  kind,
  oneOf,
  options as optionsOf,
  real,
  shape as shapeKind,
  signature,
} from "../core/arguments.ts";
import { refuse, ShapeError, showValue } from "../core/errors.ts";
import { type Shape, sameShape, sizeOf, typeText } from "../core/shape.ts";
import { newtonSchulz } from "../optim/newton-schulz.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { matmul, normal, uniform } from "../tensor/families/basic.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What an activation makes of a variance, and what is done about it. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Which number of connections a variance is divided by. */
export type Fan = "fanIn" | "fanOut" | "fanAverage";

export interface GainOptions {
  /** What a standard deviation is multiplied by; 1 unless given. */
  readonly gain?: number;
}

export interface KaimingOptions {
  /** fanIn unless given. */
  readonly mode?: Fan;
  /** relu unless given. */
  readonly nonlinearity?: Nonlinearity;
  /** Of leakyRelu; 0.01 unless given. */
  readonly slope?: number;
}

const gainKind = optionsOf<GainOptions>({ "gain?": real });
const nonlinearities = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const;
const kaimingKind = optionsOf<KaimingOptions>({
  "mode?": oneOf(["fanIn", "fanOut", "fanAverage"]),
  "nonlinearity?": oneOf(nonlinearities),
  "slope?": real,
});
const gainCall = signature("nn.init.gain", { nonlinearity: oneOf(nonlinearities), "slope?": real });

/** What keeps a signal's variance through an activation: 1, tanh ⁵⁄₃, relu √2, leakyRelu √(2 ÷ (1 + slope²)), selu ¾, as PyTorch's calculate_gain. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  checkArguments(gainCall, arguments);
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 3 / 4 };
  return nonlinearity === "leakyRelu" ? Math.sqrt(2 / (1 + slope * slope)) : gains[nonlinearity];
}

type Fans = { readonly [K in Fan]: number };
function fansOf(where: string, shape: Shape): Fans {
  if (shape.length < 2 || sizeOf(shape) === 0)
    refuse(ShapeError, `nn.init.${where}`, "no inputs and outputs to count", { shape }, "[outputs, inputs, ...window]");
  const window = sizeOf(shape.slice(2));
  const [fanOut, fanIn] = [shape[0] * window, shape[1] * window];
  return { fanIn, fanOut, fanAverage: (fanIn + fanOut) / 2 };
}

type Draw = (shape: Shape, deviation: number) => Tensor;
/** U(±√3·deviation), whose standard deviation is that. */
const evenly: Draw = (shape, deviation) => uniform(shape, -Math.sqrt(3) * deviation, Math.sqrt(3) * deviation);
const normally: Draw = (shape, deviation) => normal(shape, 0, deviation);

/** nn.init[name]: numbers for a shape that has inputs and outputs, by the options. */
function initialiser<O extends object>(
  name: string,
  kind: Kind,
  made: (shape: Shape, options: O, fans: Fans) => Tensor,
) {
  const call = signature(`nn.init.${name}`, { shape: shapeKind, "options?": kind });
  return (...given: [shape: Shape, options?: O]): Tensor => {
    checkArguments(call, given);
    const [shape, options = {} as O] = given;
    return made(shape, options, fansOf(name, shape));
  };
}

/** Numbers of the deviation gain ÷ √fan, both by the options. */
const byFan = <O extends object>(name: string, draw: Draw, kind: Kind, scale: (options: O) => readonly [number, Fan]) =>
  initialiser<O>(name, kind, (shape, options, fans) => {
    const [gain, fan] = scale(options);
    return draw(shape, gain / Math.sqrt(fans[fan]));
  });

const over =
  (fan: Fan) =>
  ({ gain = 1 }: GainOptions) =>
    [gain, fan] as const;
const overChosen = ({ mode = "fanIn", nonlinearity = "relu", slope }: KaimingOptions) =>
  [gain(nonlinearity, slope), mode] as const;

/** U(±gain·√(6 ÷ (fan in + fan out))) (Glorot & Bengio 2010). → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const xavierUniform = byFan("xavierUniform", evenly, gainKind, over("fanAverage"));

/** N(0, gain²·2 ÷ (fan in + fan out)) (Glorot & Bengio 2010). → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const xavierNormal = byFan("xavierNormal", normally, gainKind, over("fanAverage"));

/** U(±gain·√(3 ÷ fan)), the gain that of what follows (He et al. 2015). → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const kaimingUniform = byFan("kaimingUniform", evenly, kaimingKind, overChosen);

/** N(0, gain² ÷ fan), the gain that of what follows (He et al. 2015). → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const kaimingNormal = byFan("kaimingNormal", normally, kaimingKind, overChosen);

/** U(±gain·√(3 ÷ fan in)) (LeCun et al. 1998). → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const lecunUniform = byFan("lecunUniform", evenly, gainKind, over("fanIn"));

/** N(0, gain² ÷ fan in) (LeCun et al. 1998); JAX's and Keras's are cut off at two deviations. → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes. */
export const lecunNormal = byFan("lecunNormal", normally, gainKind, over("fanIn"));

/** Newton–Schulz iterations that bring singular values near 1, and that bring them to it. */
const [rough, fine] = [14, 6];

/**
 * gain times a matrix of orthonormal rows, or columns where they are fewer, alike in all directions (Saxe et al. 2014): the orthogonal part of a normal matrix, found by 20 Newton–Schulz iterations where
 * PyTorch takes its QR. Axes but the first are flattened. Within 10⁻⁵ of orthonormal. → [...shape] float32, one draw each. Throws ShapeError for fewer than two axes.
 */
export const orthogonal = initialiser("orthogonal", gainKind, (shape, { gain = 1 }: GainOptions) => {
  const rows = shape[0];
  const columns = sizeOf(shape) / rows;
  let x = newtonSchulz(normal([rows, columns]), rough);
  for (let i = 0; i < fine; i++) {
    const square = rows <= columns ? matmul(matmul(x, x.transpose()), x) : matmul(x, matmul(x.transpose(), x));
    x = x.mul(1.5).sub(square.mul(0.5));
  }
  return x.mul(gain).reshape(shape);
});

const named = {
  xavier_uniform: xavierUniform,
  xavier_normal: xavierNormal,
  kaiming_uniform: kaimingUniform,
  kaiming_normal: kaimingNormal,
  lecun_uniform: lecunUniform,
  lecun_normal: lecunNormal,
  orthogonal,
  zeros,
  ones,
} as const;

/** An initialiser that needs no options, by its name in a config and in code. */
export type InitName = keyof typeof named;
export const initNames = Object.keys(named) as readonly InitName[];
/** How a layer's weight begins: a name, or a function of its shape. */
export type Init = InitName | ((shape: Shape) => Tensor);
export const initKind = either(oneOf(initNames), kind("a function of a shape", callable.accepts));

/** Options of a layer that multiplies by its weight. */
export interface WeightOptions {
  /** Whether a bias is added; true unless given. */
  readonly bias?: boolean;
  /** How the weight begins: a name, as kaiming_normal, or a function of its shape. U(±1/√fan-in) unless given. */
  readonly init?: Init;
}
export const weightKinds = { "bias?": boolean, "init?": initKind };

/** A layer's weight, as it was asked for. Throws ShapeError where a function gives a tensor of another shape or dtype, or none. */
export function initial(where: string, init: Init, shape: Shape): Tensor {
  const value: unknown = typeof init === "string" ? named[init](shape) : init(shape);
  if (value instanceof Tensor && value.dtype === "float32" && sameShape(value.shape, shape)) return value;
  const got = value instanceof Tensor ? typeText(value) : showValue(value);
  refuse(ShapeError, `${where}.init`, "no initial weight of this shape", got, typeText({ dtype: "float32", shape }));
}
