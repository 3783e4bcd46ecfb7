// Muon: momentum made orthogonal, for matrices; AdamW for everything else.

import { checkArguments, number, signature } from "../core/arguments.ts";
import { ConfigError, ShapeError } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
import { formatShape } from "../core/shape.ts";
import type { Parameter } from "../program/variable.ts";
import { tensor } from "../tensor/arguments.ts";
import { matmul } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { adamRule, adamScalars } from "./adam.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import { globalNorm } from "./clip.ts";
import { matches } from "./glob.ts";
import {
  checkBetas,
  checkRange,
  Optimizer,
  type OptimizerOptions,
  optimizerKeys,
  type ParameterGroup,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";

export interface MuonOptions extends OptimizerOptions {
  /** In [0, 1). */
  readonly momentum?: number;
  /** Nesterov's form. */
  readonly nesterov?: boolean;
  /** Newton–Schulz iterations. */
  readonly newtonSchulzSteps?: number;
  /** `original`: steps times √max(1, rows ÷ columns). `match_rms_adamw`: times 0.2·√max(rows, columns), so that AdamW's rates and decay fit. */
  readonly adjust?: "original" | "match_rms_adamw";
  /** Globs of matrices that AdamW updates: embeddings, the last layer. */
  readonly adam?: readonly string[];
  /** AdamW's, for those and for what has fewer than two axes. */
  readonly adamBetas?: readonly [number, number];
  readonly adamEpsilon?: number;
}

const orthogonalCall = signature("optim.orthogonalize", { x: tensor, iterations: number });

/** Each is five nodes, and a handful are enough. */
const mostIterations = 100;
const coefficients = [3.4445, -4.775, 2.0315] as const;

/** The nearest half-orthogonal matrix, roughly: X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, from x ÷ (‖x‖ + 10⁻⁷), so many times. x: [rows, columns]. */
export function orthogonalize(x: Tensor, iterations: number): Tensor {
  checkArguments(orthogonalCall, arguments);
  if (x.rank !== 2 || !Number.isSafeInteger(iterations) || iterations < 0 || iterations >= mostIterations) {
    throw new ShapeError({
      where: "optim.orthogonalize",
      problem: "not a matrix and a number of iterations",
      got: `${formatShape(x.shape)}, ${iterations}`,
      expected: `[rows, columns], an integer in [0, ${mostIterations})`,
    });
  }
  const [a, b, c] = coefficients;
  const tall = x.shape[0] > x.shape[1];
  let X = tall ? x.transpose() : x;
  X = X.div(globalNorm([X]).add(1e-7));
  for (let i = 0; i < iterations; i++) {
    const A = matmul(X, X.transpose());
    const B = A.mul(b).add(matmul(A, A).mul(c));
    X = X.mul(a).add(matmul(B, X));
  }
  return tall ? X.transpose() : X;
}

/**
 * For parameters of two axes or more, the later ones flattened: b ← μ·b + (1 − μ)·g, u = (1 − μ)·g + μ·b with Nesterov, else b; p ← p·(1 − rate·decay) − rate·s·orthogonalize(u), s
 * as `adjust` says (Jordan et al. 2024; Liu et al. 2025 for match_rms_adamw; float32 throughout, where theirs iterates in bfloat16). For the others AdamW, with
 * the same rate: give them a group for one of their own. Slots: momentum, or m and v.
 */
export class Muon extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #iterations: number;
  readonly #adjust: "original" | "match_rms_adamw";
  readonly #adamBetas: readonly [number, number];
  readonly #adamEpsilon: number;
  readonly #byAdam: (parameter: Parameter) => boolean;

  constructor(parameters: ParametersOrGroups, options: MuonOptions) {
    checkOptimizer("muon", arguments);
    checkKeys("muon", options, [
      ...optimizerKeys,
      "momentum",
      "nesterov",
      "newtonSchulzSteps",
      "adjust",
      "adam",
      "adamBetas",
      "adamEpsilon",
    ]);
    checkOptimizerOptions("muon", options);
    const { momentum = 0.95, nesterov = true, newtonSchulzSteps = 5, adjust = "original" } = options;
    const adam = [...(options.adam ?? [])];
    const { adamBetas = [0.9, 0.95], adamEpsilon = 1e-8 } = options;
    const used = new Set<string>();
    const byAdam = ({ rank, label = "" }: Parameter) => {
      const found = adam.filter((glob) => matches(glob, label));
      for (const glob of found) used.add(glob);
      return rank < 2 || found.length > 0;
    };
    const slots = (parameter: Parameter) => zeroSlots(...(byAdam(parameter) ? ["m", "v"] : ["momentum"]))(parameter);
    super("muon", parameters, { slots, decay: "decoupled" }, options);
    checkRange("muon", "momentum", momentum, 0, 1);
    checkRange("muon", "newtonSchulzSteps", newtonSchulzSteps, 1, mostIterations);
    if (!Number.isInteger(newtonSchulzSteps)) {
      throw new ConfigError({
        where: "muon.newtonSchulzSteps",
        problem: "not a number of steps",
        got: String(newtonSchulzSteps),
        expected: `an integer in [1, ${mostIterations})`,
      });
    }
    checkRange("muon", "adamEpsilon", adamEpsilon);
    checkBetas("muon", adamBetas);
    const unused = adam.find((glob) => !used.has(glob));
    if (unused !== undefined) {
      throw new ConfigError({
        where: "muon.adam",
        problem: "no parameter's path matches",
        got: unused,
        expected: `a glob of ${this.parameterNames.join(", ")}`,
      });
    }
    this.#momentum = momentum;
    this.#nesterov = nesterov;
    this.#iterations = newtonSchulzSteps;
    this.#adjust = adjust;
    this.#adamBetas = [...adamBetas];
    this.#adamEpsilon = adamEpsilon;
    this.#byAdam = byAdam;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return {
      learningRate: () => group.learningRate,
      ...(group.parameters.some(this.#byAdam) && adamScalars(this, group, this.#adamBetas)),
    };
  }

  protected override rule(update: Update): Updated {
    const { parameter, gradient, slots, scalars } = update;
    if (!slots.momentum) return adamRule(update, this.#adamBetas, this.#adamEpsilon);
    const fresh = gradient.mul(1 - this.#momentum);
    const momentum = slots.momentum.mul(this.#momentum).add(fresh);
    const direction = this.#nesterov ? fresh.add(momentum.mul(this.#momentum)) : momentum;
    const rows = parameter.shape[0];
    const columns = parameter.size / rows;
    const orthogonal = orthogonalize(direction.reshape([rows, columns]), this.#iterations).reshape(parameter.shape);
    const scale =
      this.#adjust === "original" ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns));
    return { parameter: parameter.sub(orthogonal.mul(scalars.learningRate.mul(scale))), slots: { momentum } };
  }
}

/** Muon with decoupled decay (default 0). Throws ConfigError for a glob that matches nothing. */
export function muon(parameters: ParametersOrGroups, options: MuonOptions): Muon {
  checkOptimizer("muon", arguments);
  return new Muon(parameters, options);
}
