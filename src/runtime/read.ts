// Values of nodes, for who reads them outside of compiled functions. What computes them comes with the first that isn't at hand.
import type { TypedArray } from "../core/dtype.ts";
import type { Node } from "../graph/node.ts";
import { currentBackend } from "./backends.ts";
import { exclusive } from "./queue.ts";
import { storedValue } from "./values.ts";

const evaluation = () => import("./evaluate.ts");

/** The node's elements on the host, computed if need be: a copy. */
export function readNode(node: Node): Promise<TypedArray> {
  if (node.data) return Promise.resolve(node.data.slice());
  const chosen = currentBackend();
  return exclusive(async () => {
    const known = storedValue(node);
    const { backend, buffer } = known ?? (await (await evaluation()).materialize(await chosen, node));
    return backend.read(buffer);
  });
}

/** Computes a node's value if it has none yet, and keeps it. */
export function realizeNode(node: Node): Promise<void> {
  const chosen = currentBackend();
  return exclusive(async () => (await evaluation()).realizeNodes(await chosen, [node]));
}
