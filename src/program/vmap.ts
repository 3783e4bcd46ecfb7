// Functions of one example, run on a whole batch.
import { batched } from "../autograd/batch.ts";
import { callable, checkArguments, either, kind, listOf, options as optionsOf, signature } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { moveAxis } from "../ops/axes.ts";
import { Tensor } from "../tensor/tensor.ts";
import { inFormOf, type TensorResult } from "./derivatives.ts";
import { argumentOf, resultsOf } from "./gradients.ts";

/** Where the batch is. */
export interface VmapOptions {
  /** The axis of each argument that counts examples, null for an argument that all of them share; one number is for all arguments. 0 unless given. */
  readonly inAxes?: number | readonly (number | null)[];
  /** Where that axis goes in each result; one number is for all results. 0 unless given. */
  readonly outAxes?: number | readonly number[];
}

const integer = kind("an integer", (value) => Number.isInteger(value));
const orNull = kind("an integer or null", (value) => value === null || Number.isInteger(value));
const call = signature("vmap", {
  f: callable,
  "options?": optionsOf<VmapOptions>({
    "inAxes?": either(integer, listOf(orNull, "a list of integers and null")),
    "outAxes?": either(integer, listOf(integer, "a list of integers")),
  }),
});

/** The axis moved from one place to another. */
const moved = (x: Node, from: number, to: number): Node => (from === to ? x : moveAxis(x, from, to));

const axesFor = <T>(where: string, axes: T | readonly T[], count: number): readonly T[] => {
  const list = (Array.isArray(axes) ? axes : Array.from({ length: count }, () => axes)) as readonly T[];
  if (list.length === count) return list;
  refuse(ShapeError, "vmap", `${where} is of another length`, list.length, `${count}`);
};

/**
 * `f`, a function of one example, as a function of a whole batch, as JAX's and torch.func's vmap: each argument has one axis more, and so has each result. Every op in
 * it is run once, on all examples. Random ops draw for the whole batch in one range, batch-major, so that examples differ; a tensor
 * that isn't an argument is shared. Vmaps nest, and compose with grad, vjp, jvp and compile. Throws ShapeError where extents differ, GradError naming an op that can't be batched, and TraceError where `f` assigns a variable.
 */
export function vmap<A extends readonly Tensor[], R extends TensorResult>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: A) => R {
  checkArguments(call, arguments);
  const { inAxes = 0, outAxes = 0 } = options;
  return (...args) => {
    const axes = axesFor<number | null>("inAxes", inAxes, args.length);
    const inputs: Node[] = [];
    const places = args.map((given, i) => {
      const tensor = argumentOf(ShapeError, "vmap", given, i);
      const axis = axes[i];
      if (axis === null) return null;
      return inputs.push(moved(tensor.node, normalizeAxis("vmap", axis, tensor.rank), 0)) - 1;
    });
    const sizes = new Set(inputs.map(({ shape }) => shape[0]));
    if (sizes.size !== 1) {
      const got = args.map(({ shape }, i) => `${formatShape(shape)} along ${axes[i]}`).join(", ") || "no arguments";
      if (sizes.size === 0) refuse(ShapeError, "vmap", "no argument has an axis of examples", got, "at least one");
      const problem = "arguments are of other numbers of examples";
      refuse(ShapeError, "vmap", problem, got, "one number of examples for all");
    }
    let form!: R;
    const outputs = batched([...sizes][0], inputs, (examples) => {
      const leaves = places.map((place, i) => (place === null ? args[i] : new Tensor(examples[place])));
      form = f(...(leaves as unknown as A));
      return resultsOf("vmap", form).map(({ node }) => node);
    });
    const to = axesFor("outAxes", outAxes, outputs.length);
    const results = outputs.map((node, i) => moved(node, 0, normalizeAxis("vmap", to[i], node.shape.length)));
    return inFormOf(form, results);
  };
}
