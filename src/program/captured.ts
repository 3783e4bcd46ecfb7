// What a traced function takes from outside, as constants of its graph.
import type { Backend } from "../compile/contract.ts";
import type { TypedArray } from "../core/dtype.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { materialize } from "../runtime/evaluate.ts";

/** The graph with the values of what it takes from outside: constants by content. Call under `exclusive`. */
export async function captured(
  { graph, outside }: { readonly graph: Graph; readonly outside: readonly Node[] },
  backend: Backend,
): Promise<Graph> {
  if (outside.length === 0) return graph;
  const values = new Map<Node, TypedArray>();
  for (const node of outside) values.set(node, await backend.read((await materialize(backend, node)).buffer));
  return { ...graph, captured: values };
}
