// Mixup (Zhang et al. 2018): each sample of a batch mixed with another one of it, targets too.
import { makeArray } from "../../core/dtype.ts";
import { DataError } from "../../core/errors.ts";
import { countOf, type Given, options as optionsOf, positive } from "../../core/options.ts";
import { log } from "../../core/real.ts";
import { sizeOf } from "../../core/shape.ts";
import { factory } from "../../core/things.ts";
import type { RandomTransform } from "./transform.ts";

const record = optionsOf("mixup", "data.mixup", {
  /** Of the Beta(α, α) distribution that shares are drawn from. */
  alpha: positive.default(0.2),
  /** The number of classes, where targets are classes: targets become probabilities [batch, classes] float32. */
  classes: countOf("classes", 2).optional(),
});
export type MixupOptions = Given<typeof record>;

const round = Math.fround;

/**
 * λ·a + (1 − λ)·b of each sample a and its partner b, the batch in reverse order, with λ ~ Beta(α, α) from one draw for each sample; targets alike, classes as probabilities, which `cross_entropy` takes. Throws
 * DataError for inputs that aren't float32, and for targets that aren't in [0, classes).
 */
export const mixup = factory(record, ({ alpha, classes }): RandomTransform => {
  const fail = (problem: string, got: string, expected: string): never => {
    throw new DataError({ where: "mixup", problem, got, expected });
  };
  return {
    name: "mixup",
    draws: 1,
    made: JSON.stringify({ alpha, classes }),
    apply(tensors, words) {
      const shares = Float32Array.from(words, (word) => betaQuantile((word + 0.5) / 2 ** 32, alpha));
      const mix = (data: ArrayLike<number>, width: number): Float32Array => {
        const out = new Float32Array(data.length);
        for (let row = 0, to = 0; row < shares.length; row++) {
          const [share, rest] = [shares[row], round(1 - shares[row])];
          for (let i = 0, from = (shares.length - 1 - row) * width; i < width; i++, to++)
            out[to] = round(round(share * data[to]) + round(rest * data[from + i]));
        }
        return out;
      };
      const { inputs, targets } = tensors;
      if (inputs.dtype !== "float32") fail("inputs can't be mixed", inputs.dtype, "float32");
      const width = sizeOf(inputs.shape.slice(1));
      const mixed = { ...tensors, inputs: { ...inputs, data: mix(inputs.data, width) } };
      if (!targets) return mixed;
      if (targets.dtype === "float32")
        return { ...mixed, targets: { ...targets, data: mix(targets.data, sizeOf(targets.shape.slice(1))) } };
      if (classes === undefined)
        return fail("targets are classes, and nobody says how many there are", targets.dtype, "mixup: {classes}");
      if (targets.shape.length !== 1) fail("targets are no class for each sample", `[${targets.shape}]`, "[batch]");
      const hot = makeArray("float32", targets.data.length * classes);
      targets.data.forEach((target, row) => {
        if (target < 0 || target >= classes) fail("a target that is no class", String(target), `[0, ${classes})`);
        hot[row * classes + target] = 1;
      });
      const shape = [targets.shape[0], classes];
      return { ...mixed, targets: { data: mix(hot, classes), shape, dtype: "float32" } };
    },
  };
});

/** The x below which a Beta(a, a) variable lies with probability `p` in (0, 1): bisection of the incomplete beta function, to 2⁻⁴⁰. */
export function betaQuantile(p: number, a: number): number {
  if (a === 1) return p;
  const lower = p <= 0.5 ? p : 1 - p;
  // By symmetry half of all lies below ½, which scales the function without its constant.
  const goal = log(2 * lower) + logLower(0.5, a);
  let [begin, end] = [0, 0.5];
  for (let i = 0; i < 40; i++) {
    const middle = (begin + end) / 2;
    if (logLower(middle, a) < goal) begin = middle;
    else end = middle;
  }
  return p <= 0.5 ? end : 1 - end;
}

/** ln ∫₀ˣ (t(1 − t))^(a−1) dt for x in (0, ½], by the series x^a (1 − x)^a / a · Σ Π (2a + k) / (a + 1 + k) · x^(k+1) (DLMF 8.17.8). */
function logLower(x: number, a: number): number {
  let [sum, term] = [1, 1];
  for (let k = 0; k < 1000 && term > sum * 2 ** -53; k++) {
    term *= ((2 * a + k) / (a + 1 + k)) * x;
    sum += term;
  }
  return a * (log(x) + log(1 - x)) + log(sum) - log(a);
}
