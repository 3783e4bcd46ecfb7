// A loop's gradient is a loop the other way round, over what the body's inner values were: those that its rules ask for are further outputs of the loop itself.

import { GradError, refuse, TraceError } from "../core/errors.ts";
import { remembered } from "../core/remembered.ts";
import { typeText } from "../core/shape.ts";
import { type BodyRules, closeBody, type Loop, type LoopAttributes, loopAttributes, loopOf } from "../graph/body.ts";
import { Node, nextNodeId, reachable } from "../graph/node.ts";
import { currentTrace, isInBody, withBody } from "../graph/scope.ts";
import { input } from "./creation.ts";
import { broadcastTo, full, makeNode, recordOf } from "./define.ts";
import { add } from "./elementwise.ts";
import { dependences, loopNode, outputsOf } from "./loop.ts";
import { reshape, transpose } from "./movement.ts";
import type { LoopVjpContext } from "./record.ts";

/** Kinds whose values are made again where a gradient needs them: as good as what they are made of. */
const again: readonly string[] = ["full", "coordinate", "movement", "words"];

/** A loop's gradients: see `LoopRecord`. */
export function loopGradients({ outputs, wanted, differentiate }: LoopVjpContext): (Node | null)[] {
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
    const { result: gradients, draws } = withBody(() => differentiate(seeds, targets));
    if (draws > 0) refuseDrawing(outputs[0].node);
    found = new Map(targets.flatMap((leaf, i) => (gradients[i] ? [[leaf, gradients[i]] as const] : [])));
    next.forEach((_, at) => {
      if (found.has(leaves[at]) && !cotangents.has(at)) cotangents.set(at, input(leaves[at].shape, "float32"));
    });
  }
  const first = { slices: next.length, fixed: next.length + body.slices };
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
  const slices = stacks.map(({ slice }) => slice);
  const own = [...leaves.slice(0, first.fixed), ...slices, ...cotangents.values(), ...sums.map(({ leaf }) => leaf)];
  const depends = dependences(firstId, new Set(own), loop.draws?.body);
  const source = sources(loop, { ...first, id: firstId });
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
  const how = { length, reverse: !reverse, ...(recompute && { recompute }) };
  const draws = closed.isDrawn ? loop.draws : undefined;
  if (draws?.seed !== undefined) refuseTraced(outputs[0].node, inputs);
  const made = outputsOf(closed, how, draws, inputs);
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

function refuseDrawing(node: Node): never {
  const hint = "draw in the body, and give the gradient what was drawn as one of its inputs";
  refuse(GradError, "scan", "a gradient by hand in the body draws", typeText(node), undefined, hint);
}

/** What was drawn outside of a trace is drawn again outside of it, where nothing is that the trace is given. */
function refuseTraced(node: Node, inputs: readonly Node[]): void {
  const firstId = currentTrace()?.firstId;
  if (firstId === undefined || isInBody()) return;
  const isOutside = ({ id }: Node) => id < firstId;
  if (!reachable(inputs, isOutside).some((each) => each.op === "input" && !isOutside(each))) return;
  const hint = "make the loop in the function, or ask for its gradient outside and give that to the function";
  const problem = "a gradient in the function is of a loop outside of it that draws";
  refuse(TraceError, "compile", problem, typeText(node), undefined, hint);
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
function sources(loop: Loop, first: { readonly fixed: number; readonly id: number }) {
  const { attributes, values, leaves, inputs, draws } = loop;
  const numbers = new Map(values.map((value, number) => [value, number]));
  const stacks = new Map<Node, Node>();
  const outside = new Map<Node, Node>(leaves.slice(first.fixed).map((leaf, i) => [leaf, inputs[first.fixed + i]]));
  const twin = (node: Node): Node => remembered(outside, node, made);
  const made = (node: Node): Node => {
    if (node.id < first.id || recordOf(node).kind === "leaf") return node;
    const { op, dtype, shape, attributes, ownGradient } = node;
    return new Node({ op, dtype, shape, attributes, ownGradient, inputs: node.inputs.map(twin) });
  };
  return {
    has: (node: Node) => numbers.has(node),
    /** A value of each position. */
    stack: (node: Node): Node =>
      remembered(stacks, node, () => {
        const what: LoopAttributes = { ...attributes, of: "stack", at: numbers.get(node)! };
        return loopNode(what, [attributes.length, ...node.shape], node.dtype, inputs, draws);
      }),
    /** What is computed from no position. */
    outside: twin,
  };
}

/** Whether nodes are computed from draws and constants alone: a mask is drawn again, never kept. */
function drawnAlone(leaves: ReadonlySet<Node>): (node: Node) => boolean {
  const known = new Map<Node, boolean>();
  const isDrawn = (node: Node): boolean =>
    remembered(known, node, () => !leaves.has(node) && node.inputs.every(isDrawn));
  return isDrawn;
}
