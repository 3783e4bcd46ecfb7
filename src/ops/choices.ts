// Random ops that choose: among classes, places, elements, or counts. A fixed number of draws each, as for any random op.
import * as random from "../../kernels/random.ts";
import { boolean, listOf, number, options, shape as shapeKind } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { exp as realExp } from "../core/real.ts";
import { checkShape, normalizeAxis, type Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { categoricalThresholds } from "../rng/thresholds.ts";
import { axis as axisKind, operand, takes, tensor } from "./arguments.ts";
import { constant } from "./creation.ts";
import { broadcastTo, defineBinary, giving, type NodeLike } from "./define.ts";
import { gumbel } from "./distributions.ts";
import { add, log, sub } from "./elementwise.ts";
import { take } from "./gather.ts";
import { reshape, slice, swapAxes } from "./movement.ts";
import { permutation, randint, wordSamples, words } from "./random.ts";
import { argmax, sum } from "./reduce.ts";
import { argsort } from "./sort.ts";

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

const ofNumbers = "rates are numbers: a tensor of them has no search of a fixed length";
takes({ poisson }, { shape: shapeKind, rate: number }, ofNumbers);
takes({ categorical }, { logits: tensor, "count?": number });
const choosing = options<ChoiceOptions>({ "replace?": boolean, "weights?": listOf(number, "a list of weights") });
takes({ choice }, { population: operand, count: number, "options?": choosing });
takes({ shuffle }, { x: tensor, "axis?": axisKind });
