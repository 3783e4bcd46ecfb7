// The order of an epoch's samples: the dataset's own, one permutation of all, or of windows and within each. It is a function of where the epoch's draws begin, so that it can be begun anywhere.
import { permutation } from "../rng/samplers.ts";
import type { EpochDraws } from "./draws.ts";

/** The samples at places [from, to) of an epoch. */
export type Order = (from: number, to: number) => Int32Array;

/** Of `size` samples. `window`: how many neighbours make a window; windows are taken in a random order, one after another, and their samples in a random one. 2·(size − 1) draws, with windows too: first their order's, then those of each in turn. */
export function sampleOrder(size: number, draws: EpochDraws | undefined, window = size): Order {
  if (!draws) return (from, to) => Int32Array.from({ length: Math.min(to, size) - from }, (_, i) => from + i);
  const { seed, offset } = draws;
  const count = Math.ceil(size / window);
  const order = permutation(seed, offset, count);
  const inner = offset + 2 * (count - 1);
  const begins = new Float64Array(count + 1);
  order.forEach((number, i) => {
    begins[i + 1] = begins[i] + Math.min(window, size - number * window);
  });
  let known: { readonly number: number; readonly samples: Int32Array } | undefined;
  const samplesOf = (number: number): Int32Array => {
    if (known?.number !== number) {
      const first = number * window;
      // Every window before this one is whole.
      const samples = permutation(seed, inner + number * 2 * (window - 1), Math.min(window, size - first));
      known = { number, samples: samples.map((sample) => first + sample) };
    }
    return known.samples;
  };
  let at = 0;
  return (from, to) => {
    const out = new Int32Array(Math.min(to, size) - from);
    while (begins[at] > from) at--;
    for (let place = from; place < from + out.length; place++) {
      while (begins[at + 1] <= place) at++;
      out[place - from] = samplesOf(order[at])[place - begins[at]];
    }
    return out;
  };
}
