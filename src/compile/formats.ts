// Which 16-bit float format all values of an expression are numbers of, if any: such a value is kept in half the memory and comes back as it was.
// It begins with rounding, and lives on in what only chooses among values or changes their signs.
import type { Expr } from "../../kernels/expr.ts";
import { float32Bits } from "../core/canonical.ts";
import { type NarrowFormat, narrowFormats } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";

/** Whether a float32 is a number of the format, or NaN. */
export function isNumberOf(format: NarrowFormat, value: number): boolean {
  if (Number.isNaN(value) || Math.abs(value) === Number.POSITIVE_INFINITY) return true;
  const bits = float32Bits(value);
  if (format === "bfloat16") return bits % 2 ** 16 === 0;
  return Math.abs(value) <= 65504 && bits % 2 ** 13 === 0 && Number.isInteger(value * 2 ** 24);
}

/** An expression and what is known of it. */
interface Part {
  readonly body: Expr;
  readonly format?: NarrowFormat;
}

/** The format of an expression made of the parts; undefined where none is certain. Constants alone are of no format. */
export function formatOf(body: Expr, parts: readonly Part[]): NarrowFormat | undefined {
  if (body.type !== "float32") return undefined;
  return narrowFormats.find((format) => {
    const known = new Map<Expr, boolean>();
    for (const part of parts) if (part.format === format) known.set(part.body, true);
    let isRounded = known.size > 0;
    const holds = (expr: Expr): boolean => remembered(known, expr, look);
    const look = (expr: Expr): boolean => {
      switch (expr.kind) {
        case "constant":
          return isNumberOf(format, expr.value);
        case "unary":
          isRounded ||= expr.op === format;
          return expr.op === format || ((expr.op === "neg" || expr.op === "abs") && holds(expr.x));
        case "select":
          return holds(expr.yes) && holds(expr.no);
        default:
          return false;
      }
    };
    return holds(body) && isRounded;
  });
}
