// Recurrent cells: what one step is, from the gates' inputs and the states before it. Gates are in PyTorch's order.
import { slice, tanh } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A cell: how many times `hidden` its gates are, how many states it has, and one step from the gates' inputs and the states. */
export interface Cell {
  readonly gates: number;
  readonly states: number;
  step(inputs: Tensor, states: readonly Tensor[], recurrent: (state: Tensor) => Tensor): Tensor[];
}

const gate = (all: Tensor, number: number, hidden: number): Tensor =>
  slice(all, [null, [number * hidden, (number + 1) * hidden]]);

/** Elman 1990. */
export const elman = (nonlinearity: "tanh" | "relu"): Cell => ({
  gates: 1,
  states: 1,
  step(inputs, [h], recurrent) {
    const sum = inputs.add(recurrent(h));
    return [nonlinearity === "tanh" ? tanh(sum) : sum.relu()];
  },
});

/** Long short-term memory, Hochreiter and Schmidhuber 1997, with Gers's forget gate: i, f, g, o. */
export const longShort: Cell = {
  gates: 4,
  states: 2,
  step(inputs, [h, c], recurrent) {
    const all = inputs.add(recurrent(h));
    const [i, f, g, o] = [0, 1, 2, 3].map((number) => gate(all, number, h.shape[1]));
    const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(next.tanh()), next];
  },
};

/** A gated recurrent unit, Cho et al. 2014, as PyTorch and cuDNN have it: r, z, n, where r multiplies the product with the state and its bias. */
export const gated: Cell = {
  gates: 3,
  states: 1,
  step(inputs, [h], recurrent) {
    const own = recurrent(h);
    const part = (number: number) => [inputs, own].map((each) => gate(each, number, h.shape[1]));
    const [[xr, hr], [xz, hz], [xn, hn]] = [0, 1, 2].map(part);
    const z = xz.add(hz).sigmoid();
    const n = xn.add(xr.add(hr).sigmoid().mul(hn)).tanh();
    return [z.neg().add(1).mul(n).add(z.mul(h))];
  },
};
