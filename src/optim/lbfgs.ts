// L-BFGS: a quasi-Newton direction from the last steps' differences, over all parameters as one vector.
import { countOf, type Given, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import type { Parameter } from "../program/variable.ts";
import { zeros } from "../tensor/creation.ts";
import { concat, div, equal, expandDims, minimum, where } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { optimizerFields, type Update, type Updated } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("LBFGS", {
  ...optimizerFields,
  /** How many steps' differences the direction is made of (PyTorch's default is 100). */
  historySize: countOf("steps").default(10),
});

export type LBFGSOptions = Given<typeof record>;

/** Of one parameter: the histories with the last step's differences, oldest first, and where to go. */
interface Part {
  readonly moves: Tensor;
  readonly changes: Tensor;
  readonly moved: Tensor;
}

const slots = (size: number) => (parameter: Parameter) => {
  const history = zeros([size, ...parameter.shape]);
  return { moves: history, changes: history, moved: zeros(parameter.shape), gradient: zeros(parameter.shape) };
};

/**
 * p ← p + rate·d, d = −H·g by the two-loop recursion (Nocedal 1980) over the last steps' moves s and changes y of the gradient, of which those with y·s ≤ 10⁻¹⁰ don't count;
 * PyTorch's LBFGS of one iteration a step without line search: the work of a step is fixed, one gradient. The first step, and one after a gradient of 0, is min(1, 1 ÷ ‖g‖₁) times as long, and a
 * direction with g·d > −10⁻⁹ isn't taken. Dot products are a sum a parameter, added in the order of parameters. Slots: moves, changes, moved, gradient.
 */
export class LBFGS extends optimizing(record, ({ historySize }) => ({ slots: slots(historySize) })) {
  #parts: ReadonlyMap<Parameter, Part> | undefined;

  protected override prepare(updates: readonly Update[]): void {
    const size = this.options.historySize;
    const over = (term: (update: Update, i: number) => Tensor) => updates.map(term).reduce((a, b) => a.add(b));
    const dot = (a: readonly Tensor[], b: readonly Tensor[]) => over((_, i) => a[i].mul(b[i]).sum());
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
    const length = over((update) => update.gradient.abs().sum());
    const isUp = dot(gradients, d).greater(-1e-9);
    // By state: a loss scale may have taken the first step back.
    const isFirst = equal(
      over((update) => update.slots.gradient.abs().sum()),
      0,
    );
    this.#parts = new Map(
      updates.map(({ cell, scalars: { learningRate } }, i) => {
        const rate = where(isFirst, minimum(div(1, length), 1).mul(learningRate), learningRate);
        const move = where(isUp, 0, d[i].mul(rate));
        return [cell, { moves: moves[i], changes: changes[i], moved: move }];
      }),
    );
  }

  protected override rule({ parameter, gradient, cell }: Update): Updated {
    const part = this.#parts!.get(cell)!;
    return { parameter: parameter.add(part.moved), slots: { ...part, gradient } };
  }
}

/** L-BFGS of one gradient a step and a fixed step length, for small problems with whole batches. */
export const lbfgs = maker(record, LBFGS);
