// Random ops of other distributions than the uniform and the normal one, and those that choose among classes, places and elements. As there: a fixed number of draws
// a value, taken when the node is made, and no rejection that could take more. A value is made of its words by pinned arithmetic alone, and has no gradient.
import * as random from "../../kernels/random.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { exp as realExp } from "../core/real.ts";
import { checkShape, normalizeAxis, type Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { categoricalThresholds } from "../rng/thresholds.ts";
import { axisKind, boolean, listOf, number, operand, options, shapeKind, takes, tensor } from "./arguments.ts";
import { less } from "./compare.ts";
import { softmax } from "./composite.ts";
import { constant } from "./creation.ts";
import { broadcastTo, defineBinary, full, giving, makeNode, type NodeLike } from "./define.ts";
import {
  add,
  div,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  sigmoid,
  sqrt,
  stopGradient,
  sub,
  where,
} from "./elementwise.ts";
import { take } from "./gather.ts";
import { reshape, slice, swapAxes } from "./movement.ts";
import { normal, ofWord, permutation, randint, wordSamples, words } from "./random.ts";
import { argmax, sum } from "./reduce.ts";
import { argsort } from "./sort.ts";

const exponentialFromWords = ofWord("exponentialFromWords", "float32", ([word]) => random.exponential(word));
const laplaceFromWords = ofWord("laplaceFromWords", "float32", ([word]) => random.laplace(word));
const cauchyFromWords = ofWord("cauchyFromWords", "float32", ([word]) => random.cauchy(word));
ofWord("truncatedNormalFromWords", "float32", ([word], _, { lower = -2, upper = 2 }) =>
  random.truncatedNormal(word, lower as number, upper as number),
);
const holds = (value: number) => typeof value === "number" && Number.isFinite(Math.fround(value));

function check(where: string, right: boolean, got: readonly unknown[], expected: string, hint?: string): void {
  if (!right) refuse(ShapeError, where, "not what it may be made with", got.join(" and "), expected, hint);
}

const isPositive = (value: number) => holds(value) && Math.fround(value) > 0;

/** location + scale · a standard variate. */
function placed(where: string, standard: Node, location: number, scale: number): Node {
  const expected = "a finite location, and a scale > 0 that float32 holds";
  check(where, holds(location) && isPositive(scale), [location, scale], expected);
  return location === 0 && scale === 1 ? standard : add(mul(standard, scale), location);
}

/** Exponential of a rate: −log(p) ÷ rate, p = (2u + 1)·2⁻³³. One draw a value. → [...shape] float32, > 0. Throws ShapeError unless the rate is > 0. @torch torch.distributions.Exponential */
export function exponential(shape: Shape, rate = 1): Node {
  check("exponential", isPositive(rate), [rate], "a rate > 0 that float32 holds");
  const standard = exponentialFromWords(words(shape, "exponential"));
  return rate === 1 ? standard : div(standard, rate);
}

/** Gumbel: location − scale·log(e), e standard exponential; its maximum over logits is a draw of their softmax. One draw a value. → [...shape] float32. Throws ShapeError unless scale > 0. @torch torch.distributions.Gumbel */
export function gumbel(shape: Shape, location = 0, scale = 1): Node {
  return placed("gumbel", neg(log(exponentialFromWords(words(shape, "gumbel")))), location, scale);
}

/** Laplace, the double exponential: location ± scale·e. One draw a value. → [...shape] float32. Throws ShapeError unless scale > 0. @torch torch.distributions.Laplace */
export function laplace(shape: Shape, location = 0, scale = 1): Node {
  return placed("laplace", laplaceFromWords(words(shape, "laplace")), location, scale);
}

/** Cauchy, which has neither mean nor variance: location + scale·tan(π·(p − ½)). One draw a value; the standard one reaches ±2.7·10⁹. → [...shape] float32. Throws ShapeError unless scale > 0. @torch torch.distributions.Cauchy */
export function cauchy(shape: Shape, location = 0, scale = 1): Node {
  return placed("cauchy", cauchyFromWords(words(shape, "cauchy")), location, scale);
}

/** e to a normal of this mean and deviation. One draw a value. → [...shape] float32, > 0. Throws ShapeError as `normal`. @torch torch.distributions.LogNormal */
export function logNormal(shape: Shape, mean = 0, deviation = 1): Node {
  return exp(normal(shape, mean, deviation));
}

export interface TruncationOptions {
  /** mean − 2·deviation unless given. */
  readonly low?: number;
  /** mean + 2·deviation unless given. */
  readonly high?: number;
}

/** Normal given that it lies in [low, high], by the inverse CDF; PyTorch's trunc_normal_, whose bounds are −2 and 2 whatever mean and deviation. One draw a value. Throws ShapeError unless deviation > 0, low < high, and the bounds are no farther out than 4 deviations beyond the mean. @torch torch.nn.init.trunc_normal_ */
export function truncatedNormal(shape: Shape, mean = 0, deviation = 1, options: TruncationOptions = {}): Node {
  const { low = mean - 2 * deviation, high = mean + 2 * deviation } = options;
  const isRight = holds(mean) && isPositive(deviation) && low < high;
  const expected = "a finite mean, a deviation > 0 that float32 holds, and low < high";
  check("truncatedNormal", isRight, [mean, deviation, low, high], expected);
  const [lower, upper] = [low, high].map((bound) => Math.fround((bound - mean) / deviation));
  const near =
    "bounds with low ≤ mean + 4·deviation and high ≥ mean − 4·deviation: farther out 32 bits leave too few values";
  check("truncatedNormal", lower < upper && lower <= 4 && upper >= -4, [`[${low}, ${high}]`], near);
  const drawn = words(shape, "truncatedNormal");
  const standard = makeNode("truncatedNormalFromWords", [drawn], drawn.shape, { lower, upper });
  if (mean === 0 && deviation === 1) return standard;
  return minimum(maximum(placed("truncatedNormal", standard, mean, deviation), low), high);
}

/** Proposals for a value of Marsaglia and Tsang's method: at least 95 % of each are taken, so that all 8 fail with less than 4·10⁻¹¹. */
const proposals = 8;

/**
 * log of a standard gamma variate (Marsaglia & Tsang 2000): the first of 8 proposals that is taken, and were none, the mode; for a concentration a below 1 that of a + 1 and log u ÷ a.
 * So far from the distribution as 4·10⁻¹¹ in probability. 17 draws a value.
 */
function logGamma(name: string, shape: Shape, concentration: NodeLike): Node {
  if (typeof concentration === "number")
    check(name, isPositive(concentration), [concentration], "a concentration > 0 that float32 holds");
  checkShape(name, shape);
  const a = broadcastTo(typeof concentration === "number" ? full([], concentration) : concentration, shape);
  const small = less(a, 1);
  const d = sub(where(small, add(a, 1), a), 1 / 3);
  const c = div(1, sqrt(mul(d, 9)));
  const [x, e] = [normal([proposals, ...shape]), exponential([proposals, ...shape])];
  const root = add(mul(x, c), 1);
  const v = mul(mul(root, root), root);
  const logV = log(v);
  // Taken where log u < ½x² + d − d·v + d·log v; a v ≤ 0 has a logarithm of NaN or −∞, which isn't.
  const taken = less(neg(e), add(mul(mul(x, x), 0.5), mul(d, add(sub(1, v), logV))));
  let chosen = full(shape, 0);
  for (let i = proposals - 1; i >= 0; i--) chosen = where(slice(taken, [i]), slice(logV, [i]), chosen);
  const lifted = div(exponential(shape), a);
  return stopGradient(sub(add(log(d), chosen), where(small, lifted, 0)));
}

/** Gamma of a concentration, a number or a tensor that broadcasts to the shape, and a rate (PyTorch's Gamma): Marsaglia and Tsang's method with 8 proposals, within 4·10⁻¹¹ in probability. 17 draws a value. → [...shape] float32; NaN for a concentration ≤ 0 in a tensor. No gradient goes to the concentration. Throws ShapeError. @torch torch.distributions.Gamma */
export function gamma(shape: Shape, concentration: NodeLike, rate = 1): Node {
  check("gamma", isPositive(rate), [rate], "a rate > 0 that float32 holds");
  const standard = exp(logGamma("gamma", shape, concentration));
  return rate === 1 ? standard : div(standard, rate);
}

/** Beta: x ÷ (x + y) of gammas of concentrations a and b, numbers or tensors that broadcast to the shape, as a sigmoid of the difference of their logarithms. 34 draws a value. → [...shape] float32. Throws ShapeError. @torch torch.distributions.Beta */
export function beta(shape: Shape, a: NodeLike, b: NodeLike): Node {
  return sigmoid(sub(logGamma("beta", shape, a), logGamma("beta", shape, b)));
}

/** Dirichlet: gammas of the concentrations, ÷ their sum, as a softmax of their logarithms. concentration: [k] float32 → [...shape, k], which sum to 1. 17 · k draws a value. Throws ShapeError. @torch torch.distributions.Dirichlet */
export function dirichlet(shape: Shape, concentration: Node): Node {
  check("dirichlet", concentration.shape.length === 1, [`[${concentration.shape}]`], "concentrations [k]");
  return softmax(logGamma("dirichlet", [...shape, ...concentration.shape], concentration), -1);
}

const belowWord = defineBinary("belowWord", giving("bool", "uint32"), ([a, b]) => random.belowWord(a, b), {
  vjp: "none",
  samples: wordSamples,
});

/**
 * A place of a list of weights, which needn't sum to 1, by search in its fixed-point CDF: of probability round(2³²·Σᵢ≤ₖ) − round(2³²·Σᵢ<ₖ) in 2⁻³², so that one below 2⁻³³ of the
 * sum may never come. One draw a value: [...shape] int32, how many thresholds aren't above its word.
 */
function place(shape: Shape, weights: ArrayLike<number>, where: string): Node {
  const below = categoricalThresholds(weights).filter((threshold) => threshold < 2 ** 32);
  const drawn = words(shape, where);
  const wide = [...shape, below.length];
  const row = broadcastTo(constant(Uint32Array.from(below), [below.length], "uint32"), wide);
  return sub(below.length, sum(belowWord(broadcastTo(reshape(drawn, [...shape, 1]), wide), row), { axis: -1 }));
}

const mostRate = 500;

/** Poisson of a rate in [0, 500], by search in its fixed-point CDF, whose weights are rateᵏ ÷ k! in float64: within 2⁻³² of each probability. One draw a value, and a comparison with each count that can come. → [...shape] int32. Larger rates, and tensors of rates, aren't there: they have no search of a fixed length. Throws ShapeError. @torch torch.poisson */
export function poisson(shape: Shape, rate: number): Node {
  if (!(rate >= 0 && rate <= mostRate)) {
    const hint = rate > mostRate ? "a normal is near: normal(shape, rate, Math.sqrt(rate))" : undefined;
    refuse(ShapeError, "poisson", "not a rate", rate, `a number in [0, ${mostRate}]`, hint);
  }
  const weights = [realExp(-rate)];
  const most = Math.ceil(rate + 9 * Math.sqrt(rate) + 20);
  for (let k = 1; k <= most; k++) weights.push((weights[k - 1] * rate) / k);
  return place(shape, weights, "poisson");
}

/**
 * A class drawn from softmax(logits): the largest of logits + gumbel (Gumbel 1954). logits: [..., classes] float32 → [...] int32, or with a `count` of draws for each
 * [..., count]. A logit of −∞ is never drawn. One draw for each logit and each of `count`. Throws ShapeError for logits without a class.
 * @torch torch.multinomial
 */
export function categorical(logits: Node, count?: number): Node {
  const rows = logits.shape.slice(0, -1);
  const classes = logits.shape[rows.length] ?? 0;
  if (classes === 0) refuse(ShapeError, "categorical", "no classes", logits, "[..., classes]");
  if (count === undefined) return argmax(add(logits, gumbel(logits.shape)), { axis: -1 });
  const each = gumbel(checkShape("categorical", [...rows, count, classes]));
  return argmax(add(broadcastTo(reshape(logits, [...rows, 1, classes]), each.shape), each), { axis: -1 });
}

export interface ChoiceOptions {
  /** Whether one may come again; true unless given. */
  readonly replace?: boolean;
  /** How likely each is, next to the others; all alike unless given. They needn't sum to 1. */
  readonly weights?: readonly number[];
}

/**
 * `count` of 0 … population − 1 as int32 [count], or of a tensor's rows: [count, ...]. With replacement 2 · count draws, or one each where there are weights; without, 2 · (population − 1), or one for
 * each of the population: the largest of log weight + gumbel, which is drawing one after another (Efraimidis & Spirakis 2006). Throws ShapeError.
 * @torch none; numpy.random.Generator.choice
 */
export function choice(population: NodeLike, count: number, options: ChoiceOptions = {}): Node {
  const { replace = true, weights } = options;
  if (typeof population !== "number") {
    if (population.shape.length === 0)
      throw new ShapeError({ where: "choice", problem: "a scalar has no rows", expected: "at least one axis" });
    return take(population, choice(population.shape[0], count, { replace, weights }));
  }
  if (!(Number.isInteger(population) && population > 0 && population <= 2 ** 31))
    refuse(ShapeError, "choice", "not a number to choose from", population, "an integer in [1, 2^31]");
  checkShape("choice", [count]);
  if (weights && weights.length !== population)
    refuse(ShapeError, "choice", "not a weight for each", `${weights.length} weights`, `${population}`);
  if (replace) return weights ? place([count], weights, "choice") : randint([count], 0, population);
  if (weights) categoricalThresholds(weights);
  // Divided by the largest, so that float32 holds them: those that are 0 then come after all others.
  const most = weights?.reduce((a, b) => Math.max(a, b)) ?? 1;
  const row = weights && Float32Array.from(weights, (weight) => weight / most);
  const possible = row ? row.filter((weight) => weight > 0).length : population;
  if (count > possible)
    refuse(ShapeError, "choice", "more than there are, without replacement", count, `at most ${possible}`);
  if (!row) return slice(permutation(population), [[0, count]]);
  const keys = add(log(constant(row, [population], "float32")), gumbel([population]));
  return slice(argsort(keys, { descending: true }), [[0, count]]);
}

/** A tensor's slices along an axis, the first unless given, in random order, each whole (NumPy's shuffle). 2 · (extent − 1) draws. x: [...] → [...]. Throws ShapeError for a scalar. @torch none: x[torch.randperm(n)]; numpy.random.Generator.permuted */
export function shuffle(x: Node, axis = 0): Node {
  const at = normalizeAxis("shuffle", axis, x.shape.length);
  const order = permutation(x.shape[at]);
  return at === 0 ? take(x, order) : swapAxes(take(swapAxes(x, 0, at), order), 0, at);
}

const one = { "location?": number, "scale?": number };
takes({ gumbel, laplace, cauchy }, { shape: shapeKind, ...one }, "by their places: gumbel([2], 0, 1)");
takes({ exponential }, { shape: shapeKind, "rate?": number });
const moments = { "mean?": number, "deviation?": number };
takes({ logNormal }, { shape: shapeKind, ...moments });
const bounds = options<TruncationOptions>({ "low?": number, "high?": number });
const byName = "bounds go by name: { low: -1, high: 1 }";
takes({ truncatedNormal }, { shape: shapeKind, ...moments, "options?": bounds }, byName);
takes({ gamma }, { shape: shapeKind, concentration: operand, "rate?": number });
takes({ beta }, { shape: shapeKind, a: operand, b: operand });
takes({ dirichlet }, { shape: shapeKind, concentration: tensor });
const ofNumbers = "rates are numbers: a tensor of them has no search of a fixed length";
takes({ poisson }, { shape: shapeKind, rate: number }, ofNumbers);
takes({ categorical }, { logits: tensor, "count?": number });
const choosing = options<ChoiceOptions>({ "replace?": boolean, "weights?": listOf(number, "a list of weights") });
takes({ choice }, { population: operand, count: number, "options?": choosing });
takes({ shuffle }, { x: tensor, "axis?": axisKind });
