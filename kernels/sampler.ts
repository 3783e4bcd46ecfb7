// Integers from the stream that take several words each: the samplers of src/rng. Floats are expressions over one word (random.ts).
import { sizeOf } from "../src/core/shape.ts";
import { permutation, randint } from "../src/rng/samplers.ts";
import type { KernelBase, Kind } from "./kernel.ts";

/** The offset is relative to the base that the execution is given. No inputs. */
export interface RandomKernel extends KernelBase {
  readonly kind: "random";
  readonly sampler: "randint" | "permutation";
  readonly offset: number;
  readonly draws: number;
  /** randint's bounds [low, high). */
  readonly low?: number;
  readonly high?: number;
}

export const random: Kind<RandomKernel> = {
  compute({ sampler, offset, low, high }) {
    return (_, out, { seed, base }) => {
      if (sampler === "randint") randint(seed, base + offset, low!, high!, out as Int32Array);
      else out.set(permutation(seed, base + offset, out.length));
    };
  },
  work: ({ shape }) => 4 * sizeOf(shape),
  text({ sampler, offset, draws, low, high }) {
    const bounds = low === undefined ? "" : `, integers in [${low}, ${high})`;
    return `out = ${sampler} from draws [${offset}, ${offset + draws}) from the base${bounds}`;
  },
  draws: ({ offset, draws }) => ({ first: offset, count: draws }),
};
