// Expressions as text: what an elementwise op means, written down apart from the objects that hold it. It enters graph hashes, so its form is as
// fixed as the bits: docs/numerics.md, the graph's hash.

import { float32Bits } from "../src/core/canonical.ts";
import { remembered } from "../src/core/remembered.ts";
import { children, type Expr, topological } from "./expr.ts";

/**
 * One line a distinct part, numbered from 0, what is used before what uses it; the last line is the expression. `input float32 0` is an input by type and
 * number; `constant float32 3f800000` a constant, by its bits where it is a float32; `add float32 0 1` an operation, by its result's type and the lines
 * of its operands. Equal parts are one line, however many objects they are.
 */
export function expressionText(root: Expr): string {
  const lines = new Map<string, number>();
  const places = new Map<Expr, number>();
  for (const expr of topological(root)) {
    const line = lineOf(expr, (part) => places.get(part)!);
    const place = remembered(lines, line, () => lines.size);
    places.set(expr, place);
  }
  return [...lines.keys()].join("\n");
}

function lineOf(expr: Expr, at: (part: Expr) => number): string {
  const { kind, type } = expr;
  if (kind === "input") return `input ${type} ${expr.index}`;
  if (kind === "constant") return `constant ${type} ${type === "float32" ? bitsOf(expr.value) : expr.value}`;
  return [kind === "select" ? kind : expr.op, type, ...children(expr).map(at)].join(" ");
}

const bitsOf = (value: number) => float32Bits(value).toString(16).padStart(8, "0");
