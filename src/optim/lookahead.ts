// Lookahead: slow weights that follow another optimizer's, every so many of its steps a part of the way.
import { checkArguments, kind } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { countOf, type Given, options as optionsOf, probability } from "../core/options.ts";
import { runtimeScalar } from "../program/trace.ts";
import { type Parameter, Variable } from "../program/variable.ts";
import { equal, tensor, where, zeros } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls } from "./arguments.ts";
import { Optimizer, type ParameterGroup, type Update, type Updated } from "./optimizer.ts";
import { OptimizerSet } from "./set.ts";

const record = optionsOf(
  "Lookahead",
  {
    /** After how many steps of the optimizer the slow weights move, and its weights go back to them. */
    every: countOf("steps").default(5),
    /** Which part of the way they move, in [0, 1]. */
    alpha: probability.default(0.5),
  },
  "optim.lookahead",
);
export type LookaheadOptions = Given<typeof record>;

/** A parameter's slow weights. That they have begun is state: the optimizer may count steps from before, steps that a loss scale took back, or while the parameter was frozen. */
interface Slow {
  readonly name: string;
  readonly weights: Variable;
  /** [] int32: 1 once they have. */
  readonly begun: Variable;
}

const call = record.call({ optimizer: kind("an optimizer", (value) => value instanceof Optimizer) });

/**
 * Another optimizer's steps; at every so many of them slow ← slow + alpha·(p − slow), p ← slow (Zhang et al. 2019, algorithm 1). The slow weights begin as what the parameters are
 * before each one's first step here; `optimizer/slow/<path>` in state, and `optimizer/begun/<path>`, 1 from that step on. Groups, rates and steps are the optimizer's. Each step is the same
 * graph. Throws ConfigError around several optimizers or another Lookahead.
 */
export class Lookahead extends Optimizer {
  readonly #optimizer: Optimizer;
  readonly #options: { readonly every: number; readonly alpha: number };
  readonly #slow: ReadonlyMap<Parameter, Slow>;

  constructor(optimizer: Optimizer, options: LookaheadOptions = {}) {
    checkArguments(call, arguments);
    if (optimizer instanceof OptimizerSet || optimizer instanceof Lookahead)
      throw new ConfigError({
        where: "optim.lookahead",
        problem: "it goes around one optimizer",
        got: optimizer instanceof Lookahead ? "another Lookahead" : "several",
        expected: "an optimizer that takes steps itself",
        hint: "of several optimizers each may have its own: optimizer: (model) => optim.lookahead(optim.sgd(model.parameters(), { … }))",
      });
    super("lookahead", optimizer.parameters, { slots: () => ({}) }, { learningRate: 0 });
    this.#optimizer = optimizer;
    this.#options = record.fill(options);
    const slow = this.namedParameters.map(([name, parameter]): [Parameter, Slow] => [
      parameter,
      { name, weights: new Variable(zeros(parameter.shape)), begun: new Variable(tensor(0, "int32")) },
    ]);
    this.#slow = new Map(slow);
  }

  override get groups(): readonly ParameterGroup[] {
    return this.#optimizer.groups;
  }

  override get adaptsOwnStepSize(): boolean {
    return this.#optimizer.adaptsOwnStepSize;
  }

  override get steps(): number {
    return this.#optimizer.steps;
  }

  override seek(steps: number): void {
    checkArguments(methodCalls.seek, arguments);
    this.#optimizer.seek(steps);
  }

  override namedVariables(): [string, Variable][] {
    checkArguments(methodCalls.namedVariables, arguments);
    const own = [...this.#slow.values()].flatMap(({ name, weights, begun }): [string, Variable][] => [
      [`optimizer/slow/${name}`, weights],
      [`optimizer/begun/${name}`, begun],
    ]);
    return [...this.#optimizer.namedVariables(), ...own];
  }

  override traceKey(): string {
    checkArguments(methodCalls.traceKey, arguments);
    return this.#optimizer.traceKey();
  }

  override pieces(): readonly unknown[] {
    checkArguments(methodCalls.pieces, arguments);
    return this.#optimizer.pieces();
  }

  override update(gradients: readonly Tensor[], parameters: readonly Parameter[] = this.parameters): void {
    checkArguments(methodCalls.update, arguments);
    const { every, alpha } = this.#options;
    const slow = this.parameters.map((cell) => {
      const { weights, begun } = this.#slow.get(cell)!;
      return { cell, weights, begun, from: where(equal(begun, 0), cell, weights) };
    });
    this.#optimizer.update(gradients, parameters);
    // Of the step that is counted by now.
    const isDue = runtimeScalar("lookahead/due", () => (this.steps % every === 0 ? 1 : 0)).greater(0);
    for (const { cell, weights, begun, from } of slow) {
      const next = where(isDue, from.add(cell.sub(from).mul(alpha)), from);
      weights.assign(next);
      begun.assign(tensor(1, "int32"));
      cell.assign(where(isDue, next, cell));
    }
  }

  /** The optimizer's own rule is what updates. */
  protected override rule({ parameter, slots }: Update): Updated {
    return { parameter, slots };
  }
}

/** Lookahead around an optimizer. */
export const lookahead = (...given: ConstructorParameters<typeof Lookahead>): Lookahead => new Lookahead(...given);
