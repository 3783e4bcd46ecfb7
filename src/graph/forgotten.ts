// Nodes that let go of what they were computed from, and what of that somebody held then: to ask for a gradient with respect to it is an error from then on.
import type { Node } from "./node.ts";

/** Nodes whose past was let go, and those of it that somebody held then. */
const forgotten = new WeakMap<Node, readonly WeakRef<Node>[]>();

/** Whether the node was computed from `ancestor`, and has let it go. */
export function hasForgotten(node: Node, ancestor: Node): boolean {
  return forgotten.get(node)?.some((each) => each.deref() === ancestor) === true;
}

/** Whether what the node was computed from has been let go. */
export function isForgetful(node: Node): boolean {
  return forgotten.has(node);
}

/** Those of a node's past that somebody held when it was let go. */
export function forgottenBy(node: Node): readonly WeakRef<Node>[] | undefined {
  return forgotten.get(node);
}

/** Says that the node let go of its past, of which these were held. */
export function forget(node: Node, held: Iterable<Node>): void {
  const references = [...held].map((each) => new WeakRef(each));
  forgotten.set(node, references);
}
