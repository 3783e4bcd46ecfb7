// Tensors whose axes have names, and the product of two of them: what contractions lower to, and so the order in which they sum.
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { mul } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reshape, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";

/** A tensor and its axes' names, each once. */
export interface Named {
  readonly node: Node;
  readonly axes: readonly string[];
}

const extentsOf = ({ node, axes }: Named, names: readonly string[]): Shape =>
  names.map((name) => node.shape[axes.indexOf(name)]);

/** The axes in another order. */
export function ordered({ node, axes }: Named, names: readonly string[]): Node {
  if (names.every((name, i) => name === axes[i])) return node;
  const order = names.map((name) => axes.indexOf(name));
  return transpose(node, order);
}

/** Summed over every axis that isn't needed: in one sum. */
export function summed(named: Named, needed: ReadonlySet<string>): Named {
  const axes = named.axes.filter((name) => needed.has(name));
  if (axes.length === named.axes.length) return named;
  const gone = named.axes.flatMap((name, i) => (needed.has(name) ? [] : [i]));
  return { node: sum(named.node, gone), axes };
}

/**
 * Σ a·b over all axes that aren't needed. Axes that one of them has alone are summed first, in it. float32 with another axis beside those summed: one
 * (batched) matrix product, k row-major over the summed axes in a's order; else products of elements, and one sum over them as last axes. The result's
 * axes: those of both in a's order, then a's own, then b's.
 */
export function pairProduct(left: Named, right: Named, needed: ReadonlySet<string>): Named {
  const [a, b] = [summed(left, new Set([...needed, ...right.axes])), summed(right, new Set([...needed, ...left.axes]))];
  const shared = a.axes.filter((name) => b.axes.includes(name));
  const [batch, depth] = [true, false].map((kept) => shared.filter((name) => needed.has(name) === kept));
  const [rows, columns] = [a, b].map(({ axes }) => axes.filter((name) => !shared.includes(name)));
  const axes = [...batch, ...rows, ...columns];
  const shape = [...extentsOf(a, [...batch, ...rows]), ...extentsOf(b, columns)];
  if (depth.length > 0 && rows.length + columns.length > 0 && a.node.dtype === "float32") {
    const lead = batch.length > 0 ? [sizeOf(extentsOf(a, batch))] : [];
    const size = (named: Named, names: readonly string[]) => sizeOf(extentsOf(named, names));
    const x = reshape(ordered(a, [...batch, ...rows, ...depth]), [...lead, size(a, rows), size(a, depth)]);
    const y = reshape(ordered(b, [...batch, ...depth, ...columns]), [...lead, size(b, depth), size(b, columns)]);
    return { node: reshape(matmul(x, y), shape), axes };
  }
  const all = [...axes, ...depth];
  const spread = (named: Named) =>
    reshape(
      ordered(
        named,
        all.filter((name) => named.axes.includes(name)),
      ),
      all.map((name) => (named.axes.includes(name) ? extentsOf(named, [name])[0] : 1)),
    );
  return summed({ node: mul(spread(a), spread(b)), axes: all }, needed);
}
