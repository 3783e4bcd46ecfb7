// Points of a rod that cools, with its exact temperature there: what a physics-informed network is trained and judged on.
import { countOf, type Given, options as optionsOf, positive, seed } from "../core/options.ts";
import { exp, sin } from "../core/real.ts";
import { factory } from "../core/things.ts";
import { fillWords } from "../rng/draws.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";

const record = optionsOf("heat_equation", "data.heatEquation", {
  /** How many points there are. */
  samples: countOf("samples"),
  /** The seed whose stream the points are drawn from: not the run's, so that the points are the same in each. */
  seed,
  /** α of the equation, in squared lengths of the rod in a unit of time. */
  diffusivity: positive.default(0.1),
  /** Times are in [0, duration). */
  duration: positive.default(1),
});
export type HeatEquationOptions = Given<typeof record>;

/** Points (x, t) uniform on [0, 1) × [0, duration), two draws each, and the solution of ∂u/∂t = α·∂²u/∂x² with u(0, t) = u(1, t) = 0 and u(x, 0) = sin πx there: `inputs` [2] float32, `targets` [1] float32, exp(−α·π²·t)·sin πx in float64, rounded once. */
export const heatEquation = factory(record, ({ samples, seed, diffusivity, duration }): Dataset => {
  const words = new Uint32Array(2 * samples);
  fillWords(BigInt(seed), 0, words);
  const points = Float32Array.from(words, (word, i) => (word / 2 ** 32) * (i % 2 === 0 ? 1 : duration));
  const exact = Float32Array.from(
    { length: samples },
    (_, i) => exp(-diffusivity * Math.PI * Math.PI * points[2 * i + 1]) * sin(Math.PI * points[2 * i]),
  );
  return arrayDataset("heat-equation", {
    inputs: { data: points, shape: [samples, 2], dtype: "float32" },
    targets: { data: exact, shape: [samples, 1], dtype: "float32" },
  });
});
