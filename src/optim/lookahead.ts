// Lookahead: slow weights that follow another optimizer's, every so many of its steps a part of the way.
import { checkArguments, checkNone } from "../core/arguments.ts";
import { countOf, type Given, options as optionsOf, probability, type Read } from "../core/options.ts";
import { named } from "../core/things.ts";
import { pathOf } from "../program/paths.ts";
import { runtimeScalar } from "../program/trace.ts";
import { type Parameter, Variable } from "../program/variable.ts";
import { tensor, zeros } from "../tensor/creation.ts";
import { equal, where } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls } from "./arguments.ts";
import type { Objective } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import { innerOptimizer, Wrapper } from "./wrapper.ts";

const fields = {
  /** After how many steps of the optimizer the slow weights move, and its weights go back to them. */
  every: countOf("steps").default(5),
  /** Which part of the way they move, in [0, 1]. */
  alpha: probability.default(0.5),
} as const;
const record = optionsOf("Lookahead", "optim.lookahead", fields);
export type LookaheadOptions = Given<typeof record>;

/** A parameter's slow weights. That they have begun is state: the optimizer may count steps from before, steps that a loss scale took back, or while the parameter was frozen. */
interface Slow {
  readonly name: string;
  readonly weights: Variable;
  /** [] int32: 1 once they have. */
  readonly begun: Variable;
}

const call = record.call({ optimizer: innerOptimizer.kind });

/**
 * Another optimizer's steps; at every so many of them slow ← slow + alpha·(p − slow), p ← slow (Zhang et al. 2019, algorithm 1). The slow weights begin as what the parameters are
 * before each one's first step here; `optimizer/slow/<path>` in state, and `optimizer/begun/<path>`, 1 from that step on. Groups, rates and steps are the optimizer's. Each step is the same
 * graph. Throws ConfigError around several optimizers or another Lookahead.
 */
export class Lookahead extends Wrapper {
  readonly #options: Read<typeof record>;
  readonly #slow: ReadonlyMap<Parameter, Slow>;

  constructor(optimizer: Optimizer, options: LookaheadOptions = {}) {
    checkArguments(call, arguments);
    super("lookahead", optimizer);
    this.#options = record.fill(options);
    const slow = this.namedParameters.map(([name, parameter]): [Parameter, Slow] => [
      parameter,
      { name, weights: new Variable(zeros(parameter.shape)), begun: new Variable(tensor(0, "int32")) },
    ]);
    this.#slow = new Map(slow);
  }

  override namedVariables(): [string, Variable][] {
    checkNone("optimizer.namedVariables", arguments);
    const own = [...this.#slow].flatMap(([parameter, { name, weights, begun }]): [string, Variable][] => {
      const path = pathOf(parameter) ?? name;
      return [
        [`optimizer/slow/${path}`, weights],
        [`optimizer/begun/${path}`, begun],
      ];
    });
    return [...super.namedVariables(), ...own];
  }

  override update(
    gradients: readonly Tensor[],
    parameters: readonly Parameter[] = this.parameters,
    objective?: Objective,
  ): void {
    checkArguments(methodCalls.update, arguments);
    const { every, alpha } = this.#options;
    const slow = this.parameters.map((cell) => {
      const { weights, begun } = this.#slow.get(cell)!;
      return { cell, weights, begun, from: where(equal(begun, 0), cell, weights) };
    });
    this.inner.update(gradients, parameters, objective);
    // Of the step that is counted by now.
    const isDue = runtimeScalar("lookahead/due", () => (this.steps % every === 0 ? 1 : 0)).greater(0);
    for (const { cell, weights, begun, from } of slow) {
      const next = where(isDue, from.add(cell.sub(from).mul(alpha)), from);
      weights.assign(next);
      begun.assign(tensor(1, "int32"));
      cell.assign(where(isDue, next, cell));
    }
  }
}

/** Another optimizer's steps; every so many of them its weights go back to slow ones, which follow them a part of the way (Zhang et al. 2019). */
export const lookahead = named(
  optionsOf("Lookahead", {
    /** The optimizer whose steps they are, by its own name and options. */
    optimizer: innerOptimizer,
    ...fields,
  }),
  (...given: ConstructorParameters<typeof Lookahead>): Lookahead => new Lookahead(...given),
  ({ optimizer, ...options }) => new Lookahead(optimizer, options),
);
