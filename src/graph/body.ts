// A loop's body: a graph of its own, held by the nodes of a loop as an attribute, so that it is plain data in hashes, records and comparisons. A loop's
// nodes are what it gives: each one output, all with the same inputs and the same body, by which they are known to belong together.

import type { DType } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";
import { type Shape, typeText } from "../core/shape.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { type Attributes, type DrawRange, Node, type OwnGradient } from "./node.ts";
import type { Site } from "./site.ts";

/** A node of a body: its inputs by number, and its draws counted from where the iteration's begin. */
type BodyNode = readonly [
  op: string,
  dtype: DType,
  shape: Shape,
  inputs: readonly number[],
  attributes: Attributes,
  draws: readonly [offset: number, count: number] | null,
];

/** Gradient rules that nodes of bodies have to themselves: beside the body, which is plain data. */
const ownGradients = new WeakMap<BodyNode, OwnGradient>();

/** What one iteration computes. Values are numbered: carries, slices, what is the same in all iterations; then nodes, in making order. */
export type Body = {
  readonly inputs: readonly (readonly [dtype: DType, shape: Shape])[];
  /** How many of the inputs are slices. */
  readonly slices: number;
  readonly nodes: readonly BodyNode[];
  /** For each carry, the number of the value that it has in the next iteration. */
  readonly carries: readonly number[];
  /** Draws of an iteration. */
  readonly draws: number;
};

/** What the nodes of a loop have as attributes. */
export type LoopAttributes = {
  readonly body: Body;
  /** How many iterations. */
  readonly length: number;
  /** Whether positions are taken from the last to the first. */
  readonly reverse: boolean;
  /** Whether its gradient computes the body's inner values again. */
  readonly recompute?: true;
  /** What the node is: what a carry is after the last iteration, or what a value was in each, stacked along a new first axis. */
  readonly of: "carry" | "stack";
  /** The number of the carry, or of the value. */
  readonly at: number;
};

/** A loop, with its body as nodes. */
export interface Loop {
  readonly attributes: LoopAttributes;
  /** The body's values by number. */
  readonly values: readonly Node[];
  /** Those that are bound anew in each iteration: carries, slices, what is the same in all. */
  readonly leaves: readonly Node[];
  /** What the carries are in the next iteration. */
  readonly next: readonly Node[];
  /** What its leaves begin with or are taken from. */
  readonly inputs: readonly Node[];
  readonly draws: DrawRange | undefined;
}

/** A body for people: its values by name, inputs first, then what carries are next. */
export function bodyText({ inputs, slices, nodes, carries }: Body): [name: string, text: string][] {
  const kind = (at: number) => (at < carries.length ? "carry" : at < carries.length + slices ? "slice" : "outside");
  const lines = inputs.map(([dtype, shape], at): [string, string] => [
    `%${at}`,
    `${kind(at)} ${typeText({ dtype, shape })}`,
  ]);
  for (const [op, dtype, shape, operands, attributes, draws] of nodes) {
    const own = Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => compareUtf8(a, b));
    const given = [...operands.map((at) => `%${at}`), ...own.map(([key, value]) => `${key}=${attributeText(value)}`)];
    if (draws) given.push(`draws=[${draws[0]}, ${draws[0] + draws[1]})`);
    lines.push([`%${lines.length}`, `${op}(${given.join(", ")}) ${typeText({ dtype, shape })}`]);
  }
  carries.forEach((next, at) => {
    lines.push([`next %${at}`, `%${next}`]);
  });
  return lines;
}

/** An attribute so that −0, NaN, the infinities and a body can be told. */
export function attributeText(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  const isBody = typeof value === "object" && value !== null && "carries" in value;
  if (isBody)
    return `{ ${bodyText(value as Body)
      .map(([name, text]) => `${name} = ${text}`)
      .join("; ")} }`;
  return JSON.stringify(value);
}

/** The attributes of a loop's node. */
export const loopAttributes = (node: Node): LoopAttributes => node.attributes as LoopAttributes;

/** A body's values on nodes for its inputs: new nodes, whose draws are counted from where those of `draws` begin. */
export function bodyValues(body: Body, leaves: readonly Node[], { made, draws }: Pick<Node, "made" | "draws">): Node[] {
  const values = [...leaves];
  body.nodes.forEach((inner, i) => {
    const [op, dtype, shape, inputs, attributes, range] = inner;
    values.push(
      new Node({
        op,
        dtype,
        shape,
        attributes,
        // A loop that draws no word, its tensors being empty, has no range.
        draws: range ? { ...draws, offset: (draws?.offset ?? 0) + range[0], count: range[1] } : undefined,
        ownGradient: ownGradients.get(inner),
        made: made?.body?.[i] ?? made,
        unsited: true,
        inputs: inputs.map((number) => values[number]),
      }),
    );
  });
  return values;
}

/** A loop's node with its body as nodes, new ones at each call. Draws are the first position's. */
export function loopOf(node: Node): Loop {
  const attributes = loopAttributes(node);
  const { body } = attributes;
  const { made, inputs, draws } = node;
  const leaves = body.inputs.map(
    ([dtype, shape]) => new Node({ op: "input", dtype, shape, attributes: { dtype }, made, unsited: true }),
  );
  const values = bodyValues(body, leaves, node);
  return { attributes, values, leaves, next: body.carries.map((number) => values[number]), inputs, draws };
}

/** A loop's nodes among others, by their body: each loop's in the order given. */
export function loopNodes(nodes: readonly Node[], isLoop: (node: Node) => boolean): Map<Body, Node[]> {
  const found = new Map<Body, Node[]>();
  for (const node of nodes) {
    if (!isLoop(node)) continue;
    remembered(found, loopAttributes(node).body, () => []).push(node);
  }
  return found;
}

/** How a body's values are found from outside: see `closeBody`. */
export interface BodyRules {
  /** What holds the value of each position: the value is its slice. */
  sliced(node: Node): Node | undefined;
  /** What is the value in all iterations. */
  fixed(node: Node): Node | undefined;
}

/** A body, and what it takes from outside. */
export interface ClosedBody {
  readonly body: Body;
  /** What is sliced, beside what `slices` begins with. */
  readonly sliced: readonly Node[];
  /** What is the same in all iterations. */
  readonly fixed: readonly Node[];
  /** Where the body's nodes were made. */
  readonly sites: Site["body"];
  /** The number of a value of the body. */
  number(node: Node): number;
  /** Whether something in it is drawn. */
  readonly isDrawn: boolean;
}

/** What a body is made of. */
export interface OpenBody {
  readonly carries: readonly { readonly leaf: Node; readonly next: Node }[];
  readonly slices: readonly Node[];
  /** Other values that are asked of it. */
  readonly roots: readonly Node[];
  /** Draws of an iteration, and where they begin in the ranges of its nodes. */
  readonly draws: number;
  readonly firstDraw: number;
}

/** Writes a body down. What it takes from outside, by the rules, becomes its inputs. */
export function closeBody({ carries, slices, roots, draws, firstDraw }: OpenBody, rules: BodyRules): ClosedBody {
  const own = new Set([...carries.map(({ leaf }) => leaf), ...slices]);
  const sliced = new Map<Node, Node>();
  const fixed = new Map<Node, Node>();
  const inside = new Set<Node>();
  const seen = new Set<Node>(own);
  const stack = [...carries.map(({ next }) => next), ...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const slice = rules.sliced(node);
    const same = slice ? undefined : rules.fixed(node);
    if (slice) sliced.set(node, slice);
    else if (same) fixed.set(node, same);
    else {
      inside.add(node);
      stack.push(...node.inputs);
    }
  }
  const inOrder = <T>(entries: Iterable<readonly [Node, T]>) => [...entries].sort(([a], [b]) => a.id - b.id);
  const numbers = new Map<Node, number>();
  const inputs: (readonly [DType, Shape])[] = [];
  const addInput = ({ dtype, shape }: Node) => inputs.push([dtype, shape]) - 1;
  for (const leaf of own) numbers.set(leaf, addInput(leaf));
  /** Two values of the body that are one outside are one input. */
  const addAll = (entries: readonly (readonly [Node, Node])[]): Node[] => {
    const places = new Map<Node, number>();
    for (const [node, outer] of entries) {
      const place = remembered(places, outer, () => addInput(node));
      numbers.set(node, place);
    }
    return [...places.keys()];
  };
  const slicedOnes = addAll(inOrder(sliced));
  const fixedOnes = addAll(inOrder(fixed));
  const nodes = [...inside].sort((a, b) => a.id - b.id);
  nodes.forEach((node, i) => {
    numbers.set(node, inputs.length + i);
  });
  const number = (node: Node) => numbers.get(node)!;
  return {
    body: {
      inputs,
      slices: slices.length + slicedOnes.length,
      nodes: nodes.map((node): BodyNode => {
        const range = node.draws && ([node.draws.offset - firstDraw, node.draws.count] as const);
        const inputs = node.inputs.map(number);
        const written: BodyNode = [node.op, node.dtype, node.shape, inputs, node.attributes, range ?? null];
        if (node.ownGradient) ownGradients.set(written, node.ownGradient);
        return written;
      }),
      carries: carries.map(({ next }) => number(next)),
      draws,
    },
    sliced: slicedOnes,
    fixed: fixedOnes,
    sites: nodes.map(({ made }) => made),
    number,
    isDrawn: nodes.some((node) => node.draws),
  };
}
