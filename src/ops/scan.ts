// Loops over the positions of an axis. A body is traced once; what it computes from no carry, slice or draw is computed once, outside. A loop's gradient is
// a loop the other way round, over what the body's inner values were: those that its rules ask for are further outputs of the loop itself.
import { ShapeError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import {
  type BodyRules,
  type ClosedBody,
  closeBody,
  type Loop,
  type LoopAttributes,
  loopAttributes,
  loopOf,
} from "../graph/body.ts";
import { type DrawRange, Node, nextNodeId } from "../graph/node.ts";
import { reserveDraws, withBody } from "../graph/scope.ts";
import { input } from "./creation.ts";
import { broadcastTo, defineOp, full, makeNode, recordOf } from "./define.ts";
import { add } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";
import type { LoopVjpContext } from "./record.ts";

defineOp({ name: "scan", kind: "repeat", version: 1, dtype: ([first]) => first, vjp: loopGradients });

/** What one position is computed from, or gives. */
export interface Step {
  readonly carry: readonly Node[];
  /** Given: slices at the position. Computed: what is stacked. */
  readonly slices: readonly Node[];
}

/** How a loop runs. */
export interface LoopOptions {
  readonly reverse?: boolean;
  readonly recompute?: boolean;
}

/**
 * A loop over the first axis of `stacks`, of extent `length`: `body` gives the next carry and what is stacked of each position. The final carry, and
 * the stacks. Draws: position t has its own range, from t times a body's draws on. Throws ShapeError where a carry changes its shape or dtype.
 */
export function scanNodes(
  body: (step: Step) => Step,
  init: readonly Node[],
  stacks: readonly Node[],
  length: number,
  { reverse = false, recompute = false }: LoopOptions = {},
): Step {
  const firstId = nextNodeId();
  const carries = init.map(({ shape, dtype }) => input(shape, dtype));
  const slices = stacks.map(({ shape, dtype }) => input(shape.slice(1), dtype));
  const { result, draws } = withBody(() => body({ carry: carries, slices }));
  checkCarry(carries, result.carry);
  const depends = dependences(firstId, new Set([...carries, ...slices]));
  const fixed = (node: Node) => (node.id < firstId || depends(node) === "outside" ? node : undefined);
  const open = {
    carries: carries.map((leaf, i) => ({ leaf, next: result.carry[i] })),
    slices,
    roots: result.slices,
    draws,
    firstDraw: 0,
  };
  const rules: BodyRules = { sliced: () => undefined, fixed };
  const closed = closeBody(open, rules);
  const range = draws > 0 ? reserveDraws(draws * length) : undefined;
  const loop = new Outputs(closed, { length, reverse, ...(recompute && { recompute }) }, range, [
    ...init,
    ...stacks,
    ...closed.fixed,
  ]);
  return {
    carry: result.carry.map((next, i) => loop.carry(i, next)),
    slices: result.slices.map((node) => {
      const at = slices.indexOf(node);
      if (at >= 0) return stacks[at];
      return fixed(node) ? broadcastTo(node, [length, ...node.shape]) : loop.stack(node);
    }),
  };
}

function checkCarry(before: readonly Node[], after: readonly Node[]): void {
  before.forEach(({ shape, dtype }, i) => {
    const next = after[i];
    if (next.dtype === dtype && next.shape.length === shape.length && next.shape.every((each, k) => each === shape[k]))
      return;
    throw new ShapeError({
      where: "scan",
      problem: `carry ${i} isn't in the next iteration what it was`,
      got: `${next.dtype}[${next.shape}]`,
      expected: `${dtype}[${shape}], as it begins`,
    });
  });
}

/** What nodes from `firstId` on are computed from: something of the position, tensors from outside alone, or nothing but constants. */
function dependences(firstId: number, leaves: ReadonlySet<Node>): (node: Node) => "position" | "outside" | "nothing" {
  const known = new Map<Node, "position" | "outside" | "nothing">();
  for (const leaf of leaves) known.set(leaf, "position");
  const own = (node: Node) => {
    if (node.id < firstId || recordOf(node).kind === "leaf") return "outside";
    return node.draws ? "position" : undefined;
  };
  return (root) => {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      const found = known.get(node) ?? own(node);
      const missing = found ? [] : node.inputs.filter((each) => !known.has(each));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const of = node.inputs.map((each) => known.get(each));
      if (!known.has(node))
        known.set(
          node,
          found ?? (of.includes("position") ? "position" : of.includes("outside") ? "outside" : "nothing"),
        );
    }
    return known.get(root)!;
  };
}

/** Makes the nodes of a loop. */
class Outputs {
  readonly #closed: ClosedBody;
  readonly #how: Omit<LoopAttributes, "body" | "of" | "at">;
  readonly #draws: DrawRange | undefined;
  readonly #inputs: readonly Node[];

  constructor(
    closed: ClosedBody,
    how: Omit<LoopAttributes, "body" | "of" | "at">,
    draws: DrawRange | undefined,
    inputs: readonly Node[],
  ) {
    this.#closed = closed;
    this.#how = how;
    this.#draws = draws;
    this.#inputs = inputs;
  }

  carry(at: number, { shape, dtype }: Node): Node {
    return this.#node({ of: "carry", at }, shape, dtype);
  }

  stack(node: Node): Node {
    return this.#node({ of: "stack", at: this.#closed.number(node) }, [this.#how.length, ...node.shape], node.dtype);
  }

  #node(what: Pick<LoopAttributes, "of" | "at">, shape: Shape, dtype: Node["dtype"]): Node {
    const attributes: LoopAttributes = { ...this.#how, ...what, body: this.#closed.body };
    return loopNode(attributes, shape, dtype, this.#inputs, this.#draws);
  }
}

const loopNode = (
  attributes: LoopAttributes,
  shape: Shape,
  dtype: Node["dtype"],
  inputs: readonly Node[],
  draws: DrawRange | undefined,
) => new Node({ op: "scan", dtype, shape: Object.freeze([...shape]), inputs, attributes, draws });

/** Kinds whose values are made again where a gradient needs them: as good as what they are made of. */
const again: readonly string[] = ["full", "coordinate", "movement", "words"];

/** A loop's gradients: see `LoopRecord`. */
function loopGradients({ outputs, wanted, differentiate }: LoopVjpContext): (Node | null)[] {
  const firstId = nextNodeId();
  const loop = loopOf(outputs[0].node);
  const { attributes, leaves, next, values } = loop;
  const { body, length, reverse, recompute } = attributes;
  const finals = new Map<number, Node>();
  const stacks: { readonly node: Node; readonly grad: Node; readonly slice: Node }[] = [];
  for (const { node, grad } of outputs) {
    const { of, at } = loopAttributes(node);
    if (of === "stack") stacks.push({ node: values[at], grad, slice: input(values[at].shape, "float32") });
    else finals.set(at, finals.has(at) ? add(finals.get(at)!, grad) : grad);
  }
  const isFloat = (leaf: Node) => leaf.dtype === "float32";
  const asked = leaves.map((leaf, i) => isFloat(leaf) && (i < next.length || wanted[i]));
  const targets = leaves.filter((_, i) => asked[i]);
  // Which carries have a gradient is found in rounds: one that an iteration gives is there in the iteration before it.
  const cotangents = new Map<number, Node>([...finals.keys()].map((at) => [at, input(next[at].shape, "float32")]));
  let found: ReadonlyMap<Node, Node>;
  for (let known = -1; known < cotangents.size; ) {
    known = cotangents.size;
    const seeds = [
      ...stacks.map(({ node, slice }) => ({ node, grad: slice })),
      ...[...cotangents].map(([at, grad]) => ({ node: next[at], grad })),
    ];
    const gradients = differentiate(seeds, targets);
    found = new Map(targets.flatMap((leaf, i) => (gradients[i] ? [[leaf, gradients[i]] as const] : [])));
    next.forEach((_, at) => {
      if (found.has(leaves[at]) && !cotangents.has(at)) cotangents.set(at, input(leaves[at].shape, "float32"));
    });
  }
  const first = { slices: next.length, fixed: next.length + body.slices };
  const depends = dependences(
    firstId,
    new Set([...leaves.slice(0, first.fixed), ...stacks.map(({ slice }) => slice), ...cotangents.values()]),
  );
  const source = sources(loop, first);
  const rules: BodyRules = {
    sliced(node) {
      const at = leaves.indexOf(node);
      if (at >= 0) return at < first.slices ? source.stack(node) : at < first.fixed ? loop.inputs[at] : undefined;
      const isSaved = source.has(node) && !recompute && !again.includes(recordOf(node).kind) && !isDrawn(node);
      return isSaved && depends(node) === "position" ? source.stack(node) : undefined;
    },
    fixed: (node) => (depends(node) === "outside" ? source.outside(node) : undefined),
  };
  const isDrawn = drawnAlone(new Set(leaves));
  /** What adds up in a carry of its own, and what is a product of stacks. */
  const sums: { readonly at: number; readonly leaf: Node; readonly part: Node }[] = [];
  const products: { readonly at: number; readonly factors: readonly [Node, Node] }[] = [];
  for (let at = first.fixed; at < leaves.length; at++) {
    const part = found!.get(leaves[at]);
    if (!part) continue;
    const isProduct = recordOf(part).kind === "matmul" && part.shape.length === 2;
    if (isProduct) products.push({ at, factors: part.inputs as unknown as readonly [Node, Node] });
    else sums.push({ at, leaf: input(part.shape, "float32"), part });
  }
  const given = leaves.slice(first.slices, first.fixed).flatMap((leaf) => found!.get(leaf) ?? []);
  const carried = [...cotangents].map(([at, leaf]) => ({
    leaf,
    init: finals.get(at) ?? full(leaf.shape, 0),
    next: found!.get(leaves[at]) ?? full(leaf.shape, 0),
  }));
  const added = sums.map(({ leaf, part }) => ({ leaf, init: full(leaf.shape, 0), next: add(leaf, part) }));
  const carries = [...carried, ...added];
  const closed = closeBody(
    {
      carries,
      slices: stacks.map(({ slice }) => slice),
      roots: [...given, ...products.flatMap(({ factors }) => factors.map(straight))],
      draws: body.draws,
      firstDraw: loop.draws?.offset ?? 0,
    },
    rules,
  );
  const inputs = [
    ...carries.map(({ init }) => init),
    ...stacks.map(({ grad }) => grad),
    ...closed.sliced,
    ...closed.fixed,
  ];
  const made = new Outputs(
    closed,
    { length, reverse: !reverse, ...(recompute && { recompute }) },
    closed.isDrawn ? loop.draws : undefined,
    inputs,
  );
  const stacked = (node: Node): Node => {
    const at = stacks.findIndex(({ slice }) => slice === node);
    if (at >= 0) return stacks[at].grad;
    const slice = rules.sliced(node);
    const same = slice ? undefined : rules.fixed(node);
    return slice ?? (same ? broadcastTo(same, [length, ...node.shape]) : made.stack(node));
  };
  const gradients = leaves.map((): Node | null => null);
  [...cotangents.keys()].forEach((at, i) => {
    if (wanted[at]) gradients[at] = made.carry(i, carries[i].leaf);
  });
  for (let at = first.slices; at < first.fixed; at++) {
    const part = found!.get(leaves[at]);
    if (part) gradients[at] = stacked(part);
  }
  sums.forEach(({ at, leaf }, i) => {
    gradients[at] = made.carry(carried.length + i, leaf);
  });
  for (const { at, factors } of products) gradients[at] = sumOfProducts(factors, stacked, length);
  return gradients;
}

/** What a matrix is the transpose of, if it is; else itself. */
function straight(node: Node): Node {
  const { permutation } = node.attributes as { permutation?: readonly number[] };
  return node.op === "transpose" && permutation?.[0] === 1 ? node.inputs[0] : node;
}

/** Σ a·b over positions, as one product: its terms run over the positions, ascending, and within each over the terms of its own. */
function sumOfProducts([a, b]: readonly [Node, Node], stacked: (node: Node) => Node, length: number): Node {
  const whole = (node: Node) => {
    const from = straight(node);
    return from === node ? stacked(node) : transpose(stacked(from), [0, 2, 1]);
  };
  const [rows, depth] = a.shape;
  const left = reshape(transpose(whole(a), [1, 0, 2]), [rows, length * depth]);
  return makeNode("matmul", [left, reshape(whole(b), [length * depth, b.shape[1]])], [rows, b.shape[1]]);
}

/** Where the values of a loop's body are from outside of it. */
function sources(loop: Loop, first: { readonly fixed: number }) {
  const { attributes, values, leaves, inputs, draws } = loop;
  const numbers = new Map(values.map((value, number) => [value, number]));
  const stacks = new Map<Node, Node>();
  const outside = new Map<Node, Node>(leaves.slice(first.fixed).map((leaf, i) => [leaf, inputs[first.fixed + i]]));
  const twin = (node: Node): Node => {
    const known = outside.get(node);
    if (known) return known;
    const { op, dtype, shape, attributes } = node;
    const made = new Node({ op, dtype, shape, attributes, inputs: node.inputs.map(twin) });
    outside.set(node, made);
    return made;
  };
  return {
    has: (node: Node) => numbers.has(node),
    /** A value of each position. */
    stack(node: Node): Node {
      const known = stacks.get(node);
      if (known) return known;
      const what: LoopAttributes = { ...attributes, of: "stack", at: numbers.get(node)! };
      const made = loopNode(what, [attributes.length, ...node.shape], node.dtype, inputs, draws);
      stacks.set(node, made);
      return made;
    },
    /** What is computed from no position. */
    outside: twin,
  };
}

/** Whether nodes are computed from draws and constants alone: a mask is drawn again, never kept. */
function drawnAlone(leaves: ReadonlySet<Node>): (node: Node) => boolean {
  const known = new Map<Node, boolean>();
  const isDrawn = (node: Node): boolean => {
    if (leaves.has(node)) return false;
    const found = known.get(node) ?? node.inputs.every(isDrawn);
    known.set(node, found);
    return found;
  };
  return isDrawn;
}
