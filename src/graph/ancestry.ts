// How a computed node was computed, once its value is at hand: enough to differentiate through it and to compute its ancestors again, and
// nothing that keeps their values in memory. What is far behind is let go, so that a loop over tensors is bounded in memory and time.
import { sizeOf } from "../core/shape.ts";
import { Node, type Past, type Recipe, reachable } from "./node.ts";

/** So many nodes, and so many bytes of leaves that can't be computed again, may lie behind a computed node before what is behind its inputs is let go. */
export const horizon = { nodes: 16_384, bytes: 2 ** 26 } as const;

const nothing: Past = { nodes: 0, bytes: 0 };

/** The recipe of a node that has been computed. */
class NodeRecipe implements Recipe {
  past: Past;
  inputs: readonly Recipe[];
  readonly #make: (() => Node) | null;
  #live: WeakRef<Node> | undefined;
  /** A leaf, or a node whose past was let go: nothing could make it again. */
  #kept: Node | undefined;

  constructor(node: Node, past: Past, inputs: readonly Recipe[]) {
    const { id, op, dtype, shape, attributes, draws, ownGradient, standsFor } = node;
    this.past = past;
    this.inputs = inputs;
    if (isLeaf(node)) {
      this.#kept = node;
      node.made = undefined;
      this.#make = null;
      return;
    }
    this.#live = new WeakRef(node);
    const parts = { op, dtype, shape, attributes, draws, ownGradient, standsFor };
    this.#make = () => new Node({ ...parts, revived: { id, recipe: this } });
  }

  get node(): Node {
    if (this.held) return this.held;
    const node = this.#make!();
    this.#live = new WeakRef(node);
    return node;
  }

  get held(): Node | undefined {
    return this.#kept ?? this.#live?.deref();
  }

  end(node: Node): void {
    this.#kept = node;
    this.past = { nodes: 1, bytes: 4 * sizeOf(node.shape) };
    this.inputs = [];
  }
}

function isLeaf(node: Node): boolean {
  return node.op === "constant" || node.op === "input" || node.op === "variable";
}

/** What is asked of nodes by who knows their values and their ops. */
export interface Known {
  hasValue(node: Node): boolean;
  /** Whether gradients go from the node to its inputs. */
  isDifferentiable(node: Node): boolean;
}

/** Nodes now have values: from here on they hold recipes of what they were computed from, and no node. */
export function settle(nodes: readonly Node[], known: Known): void {
  const isBehind = (node: Node) => node.recipe !== undefined && node.isSettled && known.hasValue(node);
  const open = nodes.filter((node) => !node.isSettled && !isLeaf(node));
  if (open.length === 0) return;
  const segment = reachable(open, isBehind);
  const behind = segment.filter(isBehind);
  const fresh = segment.filter((node) => !node.recipe);
  const own: Past = {
    nodes: fresh.length,
    bytes: fresh.reduce((sum, node) => sum + (isLeaf(node) ? 4 * sizeOf(node.shape) : 0), 0),
  };
  const most = (key: keyof Past) => behind.reduce((most, { recipe }) => Math.max(most, recipe!.past[key]), 0);
  let past: Past = { nodes: own.nodes + most("nodes"), bytes: own.bytes + most("bytes") };
  if (past.nodes > horizon.nodes || past.bytes > horizon.bytes) {
    for (const node of behind) if (node.recipe!.past.nodes > 1) letGo(node, known);
    past = own;
  }
  for (const node of fresh) {
    const inputs = node.inputs.map((input) => input.recipe!);
    node.recipe = new NodeRecipe(node, isLeaf(node) ? nothing : past, inputs);
  }
  for (const node of open) node.settle();
}

/** Forgets what a node with a value was computed from, but for who of it is still held: to ask for a gradient with respect to those is an error from now on. */
function letGo(node: Node, { isDifferentiable }: Known): void {
  const recipe = node.recipe!;
  const held = new Set<Node>();
  const seen = new Set([recipe]);
  const stack = [recipe];
  for (let each = stack.pop(); each; each = stack.pop()) {
    const live = each.held;
    if (live && live !== node) held.add(live);
    if (live && !isDifferentiable(live)) continue;
    for (const before of live?.forgotten ?? []) {
      const older = before.deref();
      if (older) held.add(older);
    }
    for (const input of each.inputs) {
      if (seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  recipe.end(node);
  node.forgotten = [...held].map((each) => new WeakRef(each));
}
