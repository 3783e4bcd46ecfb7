// Arguments and results of compiled functions: tensors, numbers and host arrays, in records and arrays. Flattening names each leaf by its
// path, keys in UTF-8 order, so that the order in which an object was built never matters.
import { isRecord } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { type DType, holds } from "../core/dtype.ts";
import { refuse, TraceError } from "../core/errors.ts";
import { type Shape, sameShape, sizeOf } from "../core/shape.ts";
import { compareUtf8 } from "../core/utf8.ts";
import { Tensor } from "./tensor.ts";

/** One leaf of an argument or result. */
export interface Leaf {
  readonly path: string;
  readonly value: Tensor | HostArray | number;
}

/** What of arguments decides which graph serves them: kept from one call and held against the next. */
export type Form =
  | { readonly kind: "number" }
  | { readonly kind: "array"; readonly dtype: DType; readonly shape: Shape }
  | { readonly kind: "list"; readonly items: readonly Form[] }
  | { readonly kind: "record"; readonly fields: readonly (readonly [string, Form])[] }
  | { readonly kind: "fixed"; readonly value: unknown };

/** The form of a tree that `mapTree` takes. */
export function formOf(tree: unknown): Form {
  if (typeof tree === "number") return { kind: "number" };
  if (tree instanceof Tensor || isHostArray(tree)) return { kind: "array", dtype: tree.dtype, shape: [...tree.shape] };
  if (Array.isArray(tree)) return { kind: "list", items: tree.map(formOf) };
  if (typeof tree !== "object" || tree === null) return { kind: "fixed", value: tree };
  const fields = Object.entries(tree).sort(([a], [b]) => compareUtf8(a, b));
  return { kind: "record", fields: fields.map(([key, item]) => [key, formOf(item)]) };
}

/** Whether a tree has the form; its leaves are appended to `leaves`, in path order. */
export function hasForm(tree: unknown, form: Form, leaves: Leaf["value"][]): boolean {
  switch (form.kind) {
    case "number":
      return typeof tree === "number" && leaves.push(tree) > 0;
    case "array":
      if (!(tree instanceof Tensor || isHostArray(tree))) return false;
      if (tree.dtype !== form.dtype || !sameShape(tree.shape, form.shape)) return false;
      return (tree instanceof Tensor || isWhole(tree)) && leaves.push(tree) > 0;
    case "list":
      if (!Array.isArray(tree) || tree.length !== form.items.length) return false;
      return form.items.every((item, i) => hasForm(tree[i], item, leaves));
    case "record": {
      if (!isRecord(tree) || tree instanceof Tensor || isHostArray(tree)) return false;
      if (Object.keys(tree).length !== form.fields.length) return false;
      return form.fields.every(([key, item]) => Object.hasOwn(tree, key) && hasForm(tree[key], item, leaves));
    }
    case "fixed":
      return tree === form.value;
  }
}

export function isHostArray(value: unknown): value is HostArray {
  return ArrayBuffer.isView((value as HostArray | null)?.data) && Array.isArray((value as HostArray).shape);
}

/** Whether an array's elements are as many as its shape has, and of its dtype. */
export function isWhole({ data, shape, dtype }: HostArray): boolean {
  return data.length === sizeOf(shape) && holds(dtype, data);
}

/** Replaces every tensor, host array and number of a tree, in path order; strings, booleans, null and undefined stay. Throws TraceError on anything else, and where it is deeper than any that doesn't hold itself. */
export function mapTree(tree: unknown, path: string, replace: (leaf: Leaf) => unknown, depth = 64): unknown {
  if (tree instanceof Tensor || isHostArray(tree) || typeof tree === "number") return replace({ path, value: tree });
  if (tree === null || tree === undefined || typeof tree === "string" || typeof tree === "boolean") return tree;
  const inside = (item: unknown, key: string | number) =>
    mapTree(item, path === "" ? String(key) : `${path}/${key}`, replace, depth - 1);
  if (depth > 0 && Array.isArray(tree)) return tree.map(inside);
  if (depth > 0 && isRecord(tree)) {
    const entries = Object.entries(tree).sort(([a], [b]) => compareUtf8(a, b));
    return Object.fromEntries(entries.map(([key, item]) => [key, inside(item, key)]));
  }
  const problem = `a value that a compiled function can't take or give, at ${path || "the top"}`;
  const got = typeof tree === "object" ? (tree.constructor?.name ?? "object") : typeof tree;
  const expected =
    "tensors, numbers, host arrays, strings, booleans, and plain records or arrays of them, at most 64 deep";
  refuse(TraceError, "compile", problem, got, expected);
}
