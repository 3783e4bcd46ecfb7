// A loop over the positions of an axis, for trees of tensors.
import { boolean, callable, checkArguments, kind, number, options as optionsOf, signature } from "../core/arguments.ts";
import { refuse, ShapeError, TraceError } from "../core/errors.ts";
import { settled } from "../core/promise.ts";
import { checkCount, formatShape, normalizeAxis } from "../core/shape.ts";
import { atOneSite } from "../graph/site.ts";
import { constant } from "../ops/creation.ts";
import { scanNodes } from "../ops/scan.ts";
import { ops } from "./families/basic.ts";
import { Tensor } from "./tensor.ts";
import { isHostArray, mapTree } from "./tree.ts";

/** A tensor, or a list or record of such, or of lists and records of them. */
export type Tree = Tensor | null | readonly Tree[] | { readonly [key: string]: Tree };

/** Anything, and a list is inferred as it stands, [h, c], so that a body which gives one needs no `as const`. */
type Inferred = object | null | [];

/** A carry as the body has it: with plain tensors, whatever it begins with (variables). */
export type Carried<C> = C extends Tensor ? Tensor : C extends object ? { [K in keyof C]: Carried<C[K]> } : C;

/** How a scan runs. */
export interface ScanOptions {
  /** The axis of `xs` whose positions are taken one by one, and along which outputs are stacked (0). */
  readonly axis?: number;
  /** From the last position to the first; outputs stay at their positions. */
  readonly reverse?: boolean;
  /** The gradient computes the body's inner values again from the carries, instead of keeping them. */
  readonly recompute?: boolean;
  /** Gradients don't pass a carry before every so many iterations: truncated backpropagation. */
  readonly truncate?: number;
  /** How many iterations, where `xs` has no tensor. */
  readonly length?: number;
}

const tree = kind("a tensor, or a list or record of tensors, or null", (value) => typeof value === "object");
const call = signature("scan", {
  body: callable,
  init: tree,
  xs: tree,
  "options?": optionsOf<ScanOptions>({
    "axis?": number,
    "reverse?": boolean,
    "recompute?": boolean,
    "truncate?": number,
    "length?": number,
  }),
});

/** A tree's tensors in path order, and the tree with others in their places. */
function flatten(what: string, tree: unknown): { leaves: Tensor[]; rebuild(leaves: readonly Tensor[]): unknown } {
  const leaves: Tensor[] = [];
  const visit = (replace: (tensor: Tensor) => unknown) =>
    mapTree(tree, "", ({ path, value }) => {
      if (value instanceof Tensor) return replace(value);
      const problem = `${what} has something else than tensors, at ${path || "the top"}`;
      const got = isHostArray(value) ? "a host array" : String(value);
      refuse(TraceError, "scan", problem, got, "tensors, in lists and records", "make a tensor of it: tensor(value)");
    });
  visit((tensor) => leaves.push(tensor));
  return {
    leaves,
    rebuild(others) {
      let at = 0;
      return visit(() => others[at++]);
    },
  };
}

/** Where a tree has its tensors, as text. */
const formText = (tree: unknown): string => JSON.stringify(mapTree(tree, "", () => "tensor"));

/**
 * A loop over the positions of an axis, as JAX's `lax.scan`: `body(carry, x)` → [next carry, y], from `init` on; x: the slices of `xs` at the
 * position, y: what is stacked. Carry, xs and ys are tensors, or lists and records of them; xs may be null where `length` is given. → [final carry,
 * stacked ys]. The body is traced once, and may use other tensors, which get gradients too; random ops in it draw anew at each position. Costs are
 * linear in the length, forwards and backwards. Throws ShapeError, TraceError, ConfigError.
 */
export function scan<C extends Inferred, Y extends Inferred>(
  body: (carry: Carried<C>, x: never) => readonly [Carried<C>, Y],
  init: C,
  xs: unknown,
  options: ScanOptions = {},
): [Carried<C>, Y] {
  checkArguments(call, arguments);
  const { axis = 0, reverse, recompute, truncate } = options;
  const carried = flatten("init", init);
  const sliced = flatten("xs", xs);
  const axes = sliced.leaves.map((leaf) => normalizeAxis("scan", axis, leaf.rank));
  const length = lengthOf(sliced.leaves, axes, options.length);
  if (truncate !== undefined) checkCount("scan", "truncate", truncate);
  return atOneSite((outside) => {
    const stacks = sliced.leaves.map((leaf, i) => moveAxis(leaf, axes[i], 0).node);
    // Whether gradients stop before a position: it begins a stretch of `truncate` iterations.
    if (truncate !== undefined) stacks.push(beginnings(length, truncate, reverse).node);
    let ys: ReturnType<typeof flatten> | undefined;
    const { carry, slices } = scanNodes(
      (step) => {
        const x = step.slices.map((node) => new Tensor(node));
        const before = step.carry.map((node) => new Tensor(node));
        const stop = truncate === undefined ? undefined : x.pop()!;
        const held = stop
          ? before.map((tensor) =>
              tensor.dtype === "float32" ? ops.where(stop, ops.stopGradient(tensor), tensor) : tensor,
            )
          : before;
        const next = outside(() => body(carried.rebuild(held) as Carried<C>, sliced.rebuild(x) as never));
        const given = settled(next, refuseAsync);
        if (!Array.isArray(given) || given.length !== 2) refuseResult(given);
        if (formText(given[0]) !== formText(init)) refuseCarry(given[0], init);
        ys = flatten("the body's second result", given[1]);
        const nodes = (tensors: readonly Tensor[]) => tensors.map(({ node }) => node);
        return { carry: nodes(flatten("the body's first result", given[0]).leaves), slices: nodes(ys.leaves) };
      },
      carried.leaves.map(({ node }) => node),
      stacks,
      length,
      { reverse, recompute },
    );
    const outputs = slices.map((node) => moveAxis(new Tensor(node), 0, normalizeAxis("scan", axis, node.shape.length)));
    return [carried.rebuild(carry.map((node) => new Tensor(node))) as Carried<C>, ys!.rebuild(outputs) as Y];
  }, "scan");
}

function lengthOf(leaves: readonly Tensor[], axes: readonly number[], given: number | undefined): number {
  if (given !== undefined) checkCount("scan", "length", given, 0);
  const extents = [
    ...new Set([...leaves.map(({ shape }, i) => shape[axes[i]]), ...(given === undefined ? [] : [given])]),
  ];
  if (extents.length === 1) return extents[0];
  const [none, expected] = ["xs without a tensor, and no length", "one extent along the axis for all of xs, or length"];
  if (extents.length === 0) refuse(ShapeError, "scan", "nothing says how many iterations there are", none, expected);
  const got = `${extents.join(" and ")}: ${leaves.map(({ shape }) => formatShape(shape)).join(", ")}`;
  refuse(ShapeError, "scan", "not one number of iterations", got, expected);
}

const moveAxis = (tensor: Tensor, from: number, to: number): Tensor =>
  from === to ? tensor : ops.moveAxis(tensor, from, to);

function beginnings(length: number, truncate: number, reverse = false): Tensor {
  const turn = (position: number) => (reverse ? length - 1 - position : position);
  const flags = Uint8Array.from({ length }, (_, t) => (turn(t) > 0 && turn(t) % truncate === 0 ? 1 : 0));
  return new Tensor(constant(flags, [length], "bool"));
}

const refuseAsync = () => {
  const [problem, hint] = ["the body is asynchronous", "await values before, and use them in the body"];
  return new TraceError({ where: "scan", problem, got: "a promise", expected: "[next carry, y]", hint });
};

function refuseResult(given: unknown): never {
  const problem = "the body doesn't give two things";
  const got = Array.isArray(given) ? `a list of ${given.length}` : typeof given;
  refuse(TraceError, "scan", problem, got, "[next carry, y]: y is null where nothing is stacked");
}

function refuseCarry(got: unknown, init: unknown): never {
  refuse(ShapeError, "scan", "the next carry isn't of init's form", formText(got), formText(init));
}
