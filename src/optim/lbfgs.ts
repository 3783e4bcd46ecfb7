// L-BFGS: a quasi-Newton direction from the last steps' differences, over all parameters as one vector.
import { checkArguments } from "../core/arguments.ts";
import { ConfigError } from "../core/errors.ts";
import { countOf, type Given, options, word } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { type Parameter, substituting } from "../program/variable.ts";
import { zeros } from "../tensor/creation.ts";
import { concat, div, equal, expandDims, minimum, square, stopGradient, where } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { methodCalls } from "./arguments.ts";
import { lengthAlong } from "./line-search.ts";
import { needObjective, type Objective, type Passes } from "./objective.ts";
import { optimizerFields, type Update, type Updated } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";
import { gradientsByParameter } from "./whose.ts";

const record = options("LBFGS", {
  ...optimizerFields,
  /** How many steps' differences the direction is made of (PyTorch's default is 100). */
  historySize: countOf("steps").default(10),
  /** Tries step lengths from the learning rate on until the loss falls enough (Armijo's condition), or until its slope is flat enough too (the strong Wolfe conditions). */
  lineSearch: word("armijo", "strong_wolfe").optional(),
  /** How many step lengths a line search tries: a forward pass each, or under strong_wolfe a forward and a backward pass; 10 unless given. */
  lineSearchSteps: countOf("step lengths").optional(),
});

export type LBFGSOptions = Given<typeof record>;

/** Of one parameter: the histories with the last step's differences, oldest first, and where to go. */
interface Part {
  readonly moves: Tensor;
  readonly changes: Tensor;
  readonly moved: Tensor;
}

const total = (terms: readonly Tensor[]) => terms.reduce((a, b) => a.add(b));
const dot = (a: readonly Tensor[], b: readonly Tensor[]) => total(a.map((each, i) => each.mul(b[i]).sum()));

/** How many step lengths a line search tries unless told. */
const usualSteps = 10;

const slots = (size: number) => (parameter: Parameter) => {
  const history = zeros([size, ...parameter.shape]);
  return { moves: history, changes: history, moved: zeros(parameter.shape), gradient: zeros(parameter.shape) };
};

/**
 * p ← p + rate·d, d = −H·g by the two-loop recursion (Nocedal 1980) over the last steps' moves s and changes y of the gradient, of which those with y·s ≤ 10⁻¹⁰ don't count;
 * PyTorch's LBFGS of one iteration a step without line search: the work of a step is fixed, one gradient. The first step, and one after a gradient of 0, is min(1, 1 ÷ ‖g‖₁) times as long, and a
 * direction with g·d > −10⁻⁹ isn't taken. Dot products are a sum a parameter, added in the order of parameters. Slots: moves, changes, moved, gradient.
 *
 * A line search multiplies rate·d by the length that `lengthAlong` finds. Each length's loss has the draws and buffers of the first pass, and ½·decay·p² of what decays. It takes the loss as a function,
 * `minimize(() => loss)`, and so a Trainer does. Throws ConfigError for steps of a line search that there isn't, and for a search that is given gradients alone.
 */
export class LBFGS extends optimizing(record, ({ historySize, lineSearch, lineSearchSteps }) => {
  if (lineSearch || lineSearchSteps === undefined) return { slots: slots(historySize) };
  throw new ConfigError({
    where: "lbfgs.lineSearchSteps",
    problem: "there is no line search that takes them",
    got: `lineSearchSteps ${lineSearchSteps} alone`,
    expected: "a lineSearch with it: armijo or strong_wolfe",
  });
}) {
  #parts: ReadonlyMap<Parameter, Part> | undefined;
  /** The loss, and the order of its gradients. */
  #searched: { readonly objective: Objective; readonly order: readonly Parameter[] } | undefined;

  override get passes(): Passes {
    return this.options.lineSearch ? "line" : "once";
  }

  override update(
    gradients: readonly Tensor[],
    order: readonly Parameter[] = this.parameters,
    objective?: Objective,
  ): void {
    checkArguments(methodCalls.update, arguments);
    const { lineSearch } = this.options;
    this.#searched = lineSearch && { objective: needObjective("lbfgs", objective), order };
    super.update(gradients, order);
  }

  /** How much of the moves to go, where it is searched for: the gradients' loss, with the decay that they have. */
  #length(updates: readonly Update[], moves: readonly Tensor[]): Tensor | undefined {
    if (!this.#searched) return undefined;
    const { objective, order } = this.#searched;
    const { lineSearch, lineSearchSteps = usualSteps } = this.options;
    const signed = (value: Tensor) => (this.maximizes ? value.neg() : value);
    const decaying = updates.flatMap(({ decays, scalars: { weightDecay } }, i) => (decays ? { i, weightDecay } : []));
    const withDecay = (value: Tensor, places: readonly Tensor[]) =>
      total([signed(value), ...decaying.map(({ i, weightDecay }) => square(places[i]).sum().mul(weightDecay).div(2))]);
    const at = (length: Tensor) => {
      const places = updates.map(({ cell }, i) => stopGradient(cell.add(moves[i].mul(length))));
      const there = substituting(new Map(updates.map(({ cell }, i) => [cell, places[i]])), () =>
        objective.again("same"),
      );
      const byParameter = gradientsByParameter(this, there.gradients, order);
      const gradients = updates.map(({ cell }) => signed(byParameter.get(cell)!));
      for (const { i, weightDecay } of decaying) gradients[i] = gradients[i].add(places[i].mul(weightDecay));
      return { value: withDecay(there.value, places), slope: dot(gradients, moves) };
    };
    const here = updates.map(({ parameter }) => parameter);
    const gradients = updates.map(({ gradient }) => gradient);
    const start = { value: withDecay(objective.value, here), slope: dot(gradients, moves) };
    return lengthAlong(lineSearch!, lineSearchSteps, start, at);
  }

  protected override prepare(updates: readonly Update[]): void {
    const size = this.options.historySize;
    const gradients = updates.map(({ gradient }) => gradient);
    const moved = updates.map((update) => update.slots.moved);
    const changed = updates.map((update) => update.gradient.sub(update.slots.gradient));
    const counts = dot(changed, moved).greater(1e-10);
    const longer = (history: Tensor, last: Tensor) =>
      where(counts, concat([history.slice([[1, size]]), expandDims(last, 0)]), history);
    const moves = updates.map((update, i) => longer(update.slots.moves, moved[i]));
    const changes = updates.map((update, i) => longer(update.slots.changes, changed[i]));
    const rows = Array.from({ length: size }, (_, k) => {
      const [s, y] = [moves, changes].map((each) => each.map((history) => history.slice([k])));
      const product = dot(y, s);
      const isThere = product.greater(0);
      return { s, y, product, isThere, inverse: where(isThere, div(1, product), 0) };
    });
    let d = gradients.map((gradient) => gradient.neg());
    const shares = new Map<object, Tensor>();
    for (const row of [...rows].reverse()) {
      const share = dot(row.s, d).mul(row.inverse);
      shares.set(row, share);
      d = d.map((each, i) => each.sub(row.y[i].mul(share)));
    }
    const { y, product, isThere } = rows[size - 1];
    const scale = where(isThere, product.div(dot(y, y)), 1);
    d = d.map((each) => each.mul(scale));
    for (const row of rows) {
      const share = shares.get(row)!.sub(dot(row.y, d).mul(row.inverse));
      d = d.map((each, i) => each.add(row.s[i].mul(share)));
    }
    const length = total(gradients.map((gradient) => gradient.abs().sum()));
    const isUp = dot(gradients, d).greater(-1e-9);
    // By state: a loss scale may have taken the first step back.
    const isFirst = equal(total(updates.map((update) => update.slots.gradient.abs().sum())), 0);
    const steps = updates.map(({ scalars: { learningRate } }, i) => {
      const rate = where(isFirst, minimum(div(1, length), 1).mul(learningRate), learningRate);
      return where(isUp, 0, d[i].mul(rate));
    });
    const part = this.#length(updates, steps);
    this.#parts = new Map(
      updates.map(({ cell }, i) => {
        const move = part ? steps[i].mul(part) : steps[i];
        return [cell, { moves: moves[i], changes: changes[i], moved: move }];
      }),
    );
  }

  protected override rule({ parameter, gradient, cell }: Update): Updated {
    const part = this.#parts!.get(cell)!;
    return { parameter: parameter.add(part.moved), slots: { ...part, gradient } };
  }
}

/** L-BFGS of one gradient a step, whose length is the learning rate or what a line search of fixed work finds; for small problems with whole batches. */
export const lbfgs = maker(record, LBFGS);
