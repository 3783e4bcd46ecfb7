// Arguments and results of compiled functions: tensors, numbers and host arrays, in records and arrays. Flattening names each leaf by its
// path, keys in UTF-8 order, so that the order in which an object was built never matters.
import type { HostArray } from "../core/array.ts";
import { compareUtf8 } from "../core/canonical.ts";
import { TraceError } from "../core/errors.ts";
import { Tensor } from "./tensor.ts";

/** One leaf of an argument or result. */
export interface Leaf {
  readonly path: string;
  readonly value: Tensor | HostArray | number;
}

export function isHostArray(value: unknown): value is HostArray {
  return ArrayBuffer.isView((value as HostArray | null)?.data) && Array.isArray((value as HostArray).shape);
}

/** Replaces every tensor, host array and number of a tree, in path order; strings, booleans, null and undefined stay. Throws TraceError on anything else. */
export function mapTree(tree: unknown, path: string, replace: (leaf: Leaf) => unknown): unknown {
  if (tree instanceof Tensor || isHostArray(tree) || typeof tree === "number") return replace({ path, value: tree });
  if (tree === null || tree === undefined || typeof tree === "string" || typeof tree === "boolean") return tree;
  const join = (key: string | number) => (path === "" ? String(key) : `${path}/${key}`);
  if (Array.isArray(tree)) return tree.map((item, i) => mapTree(item, join(i), replace));
  const prototype = Object.getPrototypeOf(tree);
  if (typeof tree === "object" && (prototype === Object.prototype || prototype === null)) {
    const entries = Object.entries(tree).sort(([a], [b]) => compareUtf8(a, b));
    return Object.fromEntries(entries.map(([key, item]) => [key, mapTree(item, join(key), replace)]));
  }
  throw new TraceError({
    where: "compile",
    problem: `a value that a compiled function can't take or give, at ${path || "the top"}`,
    got: typeof tree === "object" ? (tree.constructor?.name ?? "object") : typeof tree,
    expected: "tensors, numbers, host arrays, strings, booleans, and plain records or arrays of them",
  });
}
