// What optimizers that go around another are built on: groups, rates, steps and state are that one's, and its update is part of theirs.
import { checkArguments, checkNone, kind } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { part, type Type } from "../core/options.ts";
import type { Variable } from "../program/variable.ts";
import { methodCalls } from "./arguments.ts";
import type { Passes } from "./objective.ts";
import { Optimizer, type ParameterGroup, type Update, type Updated } from "./optimizer.ts";
import { OptimizerSet } from "./set.ts";

/** An optimizer as an option: in a config another optimizer's record. */
export const innerOptimizer: Type<Optimizer> = part<Optimizer>(
  "optimizer",
  kind("an optimizer", (value) => value instanceof Optimizer),
);

/** Base of optimizers around another, each with its own part in `update`. Throws ConfigError around several, and around one that has one of its own class in it already. */
export abstract class Wrapper extends Optimizer {
  readonly #optimizer: Optimizer;

  constructor(name: string, optimizer: Optimizer) {
    const refuse = (got: string): never => {
      throw new ConfigError({
        where: `optim.${name}`,
        problem: "it goes around one optimizer",
        got,
        expected: "an optimizer that takes steps itself",
        hint: `of several optimizers each may have its own: optimizer: (model) => optim.${name}(optim.sgd(model.parameters(), { … }))`,
      });
    };
    for (let inner = optimizer; ; inner = inner.#optimizer) {
      if (inner instanceof OptimizerSet) refuse("several");
      if (inner instanceof new.target) refuse(`another ${new.target.name}`);
      if (!(inner instanceof Wrapper)) break;
    }
    super(name, optimizer.parameters, { slots: () => ({}) }, { learningRate: 0 });
    this.#optimizer = optimizer;
  }

  /** What it goes around. */
  protected get inner(): Optimizer {
    return this.#optimizer;
  }

  override get groups(): readonly ParameterGroup[] {
    return this.#optimizer.groups;
  }

  override get adaptsOwnStepSize(): boolean {
    return this.#optimizer.adaptsOwnStepSize;
  }

  override get maximizes(): boolean {
    return this.#optimizer.maximizes;
  }

  override get passes(): Passes {
    return this.#optimizer.passes;
  }

  override get steps(): number {
    return this.#optimizer.steps;
  }

  override seek(steps: number): void {
    checkArguments(methodCalls.seek, arguments);
    this.#optimizer.seek(steps);
  }

  override namedVariables(): [string, Variable][] {
    checkNone("optimizer.namedVariables", arguments);
    return this.#optimizer.namedVariables();
  }

  override traceKey(): string {
    checkNone("optimizer.traceKey", arguments);
    return this.#optimizer.traceKey();
  }

  override pieces(): readonly unknown[] {
    checkNone("optimizer.pieces", arguments);
    return this.#optimizer.pieces();
  }

  /** The optimizer's own rule is what updates. */
  protected override rule({ parameter, slots }: Update): Updated {
    return { parameter, slots };
  }
}
