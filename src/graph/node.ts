// Nodes of the op graph: immutable, numbered in making order, checked when made. A node knows what it is, not how it is computed.

import type { Canonical } from "../core/canonical.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import { inMessages } from "../core/errors.ts";
import { type Shape, typeText } from "../core/shape.ts";
import { hereSite, type Site } from "./site.ts";

/** What an op was given beside its inputs; enters the graph's hash. */
export type Attributes = { readonly [key: string]: Canonical | undefined };

/** The draws a random node owns. With a seed the offset is absolute in that seed's stream; without, relative to the trace's base. */
export interface DrawRange {
  readonly offset: number;
  readonly count: number;
  readonly seed?: bigint;
  /** The body, of a loop or of a function on a batch, that counts them from 0 each time. */
  readonly body?: object;
}

/** What lies behind a node, at most: an ancestor that several inputs share is counted once, inputs of separate histories are one history. */
export interface Past {
  readonly nodes: number;
  readonly bytes: number;
}

/** How a node was computed, without its value. */
export interface Recipe {
  /** The node itself while somebody else holds it, and else one like it, made when asked for. */
  readonly node: Node;
  /** The node, if somebody holds it. */
  readonly held: Node | undefined;
  readonly inputs: readonly Recipe[];
  /** What lies behind it, itself included. */
  readonly past: Past;
  /** Keeps the node with its value, and nothing behind it. */
  end(node: Node): void;
}

/** A gradient rule that one node has to itself: from the gradient of its output, what it is applied to, and itself, one of each input's shape, or null where none flows. */
export type OwnGradient = (grad: Node, inputs: readonly Node[], output: Node) => readonly (Node | null)[];

export interface NodeInit {
  op: string;
  dtype: DType;
  shape: Shape;
  inputs?: readonly Node[];
  attributes?: Attributes;
  draws?: DrawRange;
  data?: TypedArray;
  ownGradient?: OwnGradient;
  /** Made by an execution: no line of a program stands for it. */
  unsited?: boolean;
  /** It stands for another node: made where that was. */
  made?: Site;
  standsFor?: Node["standsFor"];
  /** It takes the place of a node that is gone. */
  revived?: { readonly id: number; readonly recipe: Recipe };
}

let made = 0;

/** One value of the graph: an op applied to inputs. Leaves are `constant` (has `data`), `input` and `variable` (bound when run). */
export class Node {
  /** Making order within the process; never hashed. */
  readonly id: number;
  readonly op: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly attributes: Attributes;
  readonly draws?: DrawRange;
  /** A constant's elements, row-major; never written to after the node is made. */
  readonly data?: TypedArray;
  /** Its gradient, where its op leaves that to the node; never hashed, but for the nodes that it makes. */
  readonly ownGradient?: OwnGradient;
  /** Where it comes from, for people; never hashed. */
  made?: Site;
  /** How it was computed, once that has been written down. */
  recipe?: Recipe;
  /** Once it let go of what it was computed from: those of it that somebody held then. To ask for a gradient with respect to one of them is an error from then on. */
  forgotten?: readonly WeakRef<Node>[];
  /** What it stands for, where gradients end at it: a variable, of which it is one version, or "result" of a compiled call. */
  standsFor?: object | "result";
  /** null: by its recipe. */
  #inputs: readonly Node[] | null;

  constructor(init: NodeInit) {
    const { op, dtype, shape, inputs = [], attributes = {}, draws, data, ownGradient, unsited, revived } = init;
    this.id = revived?.id ?? made++;
    this.op = op;
    this.dtype = dtype;
    this.shape = shape;
    this.#inputs = revived ? null : inputs;
    this.recipe = revived?.recipe;
    this.attributes = attributes;
    this.draws = draws;
    this.data = data;
    this.ownGradient = ownGradient;
    if (init.standsFor) this.standsFor = init.standsFor;
    this.made = init.made ?? (unsited || revived ? undefined : hereSite());
  }

  /** What its op is applied to. */
  get inputs(): readonly Node[] {
    return this.#inputs ?? this.recipe!.inputs.map(({ node }) => node);
  }

  /** Whether it holds its inputs by its recipe alone. */
  get isSettled(): boolean {
    return this.#inputs === null;
  }

  /** Lets go of its inputs, which are its recipe's from here on, and of the line that made it, whose stack keeps the objects that it went through. */
  settle(): void {
    this.#inputs = null;
    this.made = undefined;
  }

  get [inMessages](): string {
    return `tensor ${typeText(this)}`;
  }
}

/** The id the next node will get: nodes below it were made before now. */
export function nextNodeId(): number {
  return made;
}

/** The nodes that `roots` depend on, themselves included, in making order. `stop` cuts the walk: such a node is listed, its inputs aren't followed. */
export function reachable(roots: readonly Node[], stop: (node: Node) => boolean = () => false): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (!stop(node)) stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
