// Several optimizers that take a model's steps together, each with its own parameters and every so many steps. A Trainer holds them as one: their groups are its groups, and the
// step is traced anew for each set of them that is due.
import { checkArguments } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { onExecute } from "../program/trace.ts";
import type { Parameter, Variable } from "../program/variable.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls } from "./arguments.ts";
import { Optimizer, type ParameterGroup, type Update, type Updated } from "./optimizer.ts";

/** One of several optimizers. */
export interface OptimizerPart {
  readonly optimizer: Optimizer;
  /** It takes the first step and every so many after it. */
  readonly frequency: number;
  /** The name of the loss that it minimises, in the record that the model returns: `loss` unless it says another. */
  readonly minimizes: string;
}

/** A kind of step: which optimizers are due, as what follows a role's name (`/0+2`; nothing where all are), and the first step of the kind, from 0. */
export interface StepKind {
  readonly suffix: string;
  readonly step: number;
}

/** Several optimizers as one. Steps count all steps; each part counts those that it took. */
export class OptimizerSet extends Optimizer {
  readonly #parts: readonly OptimizerPart[];
  #taken = 0;
  readonly #untake = () => {
    this.#taken--;
  };

  /** Throws ConfigError where a parameter is in two of them, for one that evaluates the loss elsewhere too, where the others' would be other weights, and for frequencies under which a step would have none. */
  constructor(parts: readonly OptimizerPart[]) {
    const parameters = parts.flatMap(({ optimizer }) => optimizer.parameters);
    super("optimizers", parameters, { slots: () => ({}) }, { learningRate: 0 });
    this.#parts = parts;
    const elsewhere = parts.findIndex(({ optimizer }) => optimizer.passes !== "once");
    if (elsewhere >= 0)
      throw new ConfigError({
        where: `optimizers[${elsewhere}]`,
        problem: "an optimizer that evaluates the loss at other weights can't be one of several",
        got: parts[elsewhere].optimizer.constructor.name,
        expected: "it alone, around the optimizer of the whole model",
      });
    if (parts.some(({ frequency }) => frequency === 1)) return;
    throw new ConfigError({
      where: "optimizers",
      problem: "at most steps no optimizer is due",
      got: `frequencies ${parts.map(({ frequency }) => frequency).join(", ")}`,
      expected: "one of frequency 1 at least",
    });
  }

  get parts(): readonly OptimizerPart[] {
    return this.#parts;
  }

  /** Those that take the next step. */
  get due(): readonly OptimizerPart[] {
    return this.#parts.filter((_, i) => this.#isDue(i, this.#taken));
  }

  #isDue(i: number, step: number): boolean {
    return step % this.#parts[i].frequency === 0;
  }

  /** Which are due at a step, numbered from 0, as what follows a role's name: nothing where all are. */
  suffixAt(step: number): string {
    const due = this.#parts.flatMap((_, i) => (this.#isDue(i, step) ? [i] : []));
    return due.length === this.#parts.length ? "" : `/${due.join("+")}`;
  }

  /** All kinds of step that there are, the first step's first. Whatever is due together is due at its frequencies' least common multiple, with what else divides that. */
  kinds(): StepKind[] {
    const steps = new Set([1]);
    for (const { frequency } of this.#parts)
      for (const step of [...steps]) steps.add(leastCommonMultiple(step, frequency));
    const kinds = new Map([[this.suffixAt(0), 0]]);
    for (const step of steps) if (!kinds.has(this.suffixAt(step))) kinds.set(this.suffixAt(step), step);
    return [...kinds].map(([suffix, step]) => ({ suffix, step }));
  }

  override get groups(): readonly ParameterGroup[] {
    return this.#parts.flatMap(({ optimizer }) => optimizer.groups);
  }

  override get steps(): number {
    return this.#taken;
  }

  override seek(steps: number): void {
    checkArguments(methodCalls.seek, arguments);
    this.#taken = steps;
    for (const { optimizer, frequency } of this.#parts) optimizer.seek(Math.ceil(steps / frequency));
  }

  override namedVariables(): [string, Variable][] {
    return this.#parts.flatMap(({ optimizer }) => optimizer.namedVariables());
  }

  override traceKey(): string {
    return [this.suffixAt(this.#taken), ...this.#parts.map(({ optimizer }) => optimizer.traceKey())].join(";");
  }

  override pieces(): readonly unknown[] {
    return ["due", this.suffixAt(this.#taken), ...this.#parts.flatMap(({ optimizer }) => optimizer.pieces())];
  }

  /** The step of those that are due: the gradients of others' parameters are left out. */
  override update(gradients: readonly Tensor[], parameters: readonly Parameter[] = this.parameters): void {
    const gradientOf = new Map(parameters.map((parameter, i) => [parameter, gradients[i]]));
    for (const { optimizer } of this.due)
      optimizer.update(
        optimizer.parameters.flatMap((parameter) => gradientOf.get(parameter) ?? []),
        optimizer.parameters,
      );
    onExecute(() => {
      this.#taken++;
      return this.#untake;
    });
  }

  /** Its parts have the rules: by itself it leaves all as it is. */
  protected override rule({ parameter, slots }: Update): Updated {
    return { parameter, slots };
  }
}

/** The optimizers that take the next step. */
export function partsDue(optimizer: Optimizer): readonly OptimizerPart[] {
  return optimizer instanceof OptimizerSet ? optimizer.due : [{ optimizer, frequency: 1, minimizes: "loss" }];
}

/** The kinds of step of one optimizer or several: one has one kind. */
export function stepKinds(optimizer: Optimizer): readonly StepKind[] {
  return optimizer instanceof OptimizerSet ? optimizer.kinds() : [{ suffix: "", step: optimizer.steps }];
}

/** Which of several optimizers took the step that was counted last, as what follows the role of its graph. */
export function lastSuffix(optimizer: Optimizer): string {
  return optimizer instanceof OptimizerSet ? optimizer.suffixAt(optimizer.steps - 1) : "";
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  const multiple = (a / x) * b;
  if (Number.isSafeInteger(multiple)) return multiple;
  throw new ConfigError({
    where: "optimizers",
    problem: "the frequencies have no common multiple that is a number of steps",
    got: `${a} and ${b}`,
    expected: "smaller ones",
  });
}
