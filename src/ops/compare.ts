// Comparisons and logic: bool results, no gradient. IEEE: false where an operand is NaN, but for notEqual.
import type { DType } from "../core/dtype.ts";
import { defineBinary, defineUnary, giving } from "./define.ts";

const rest = { vjp: "none", samples: { range: [-2, 2], edges: [0, -0, 1, -1, Infinity, -Infinity, NaN] } } as const;
const numbers = ["float32", "int32", "uint32"] as const;
type Of = "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or";
const compare = (name: string, is: Of, dtypes: readonly DType[] = numbers) =>
  defineBinary(name, giving("bool", ...dtypes), ([a, b], { e }) => e[is](a, b), rest);

/** a < b → bool. @torch torch.lt */
export const less = compare("less", "lt");
/** a ≤ b → bool. @torch torch.le */
export const lessEqual = compare("lessEqual", "le");
/** a > b → bool. @torch torch.gt */
export const greater = compare("greater", "gt");
/** a ≥ b → bool. @torch torch.ge */
export const greaterEqual = compare("greaterEqual", "ge");
/** a = b → bool; of bool too. @torch torch.eq */
export const equal = compare("equal", "eq", [...numbers, "bool"]);
/** a ≠ b → bool; true where either is NaN; of bool it is the exclusive or. @torch torch.ne */
export const notEqual = compare("notEqual", "ne", [...numbers, "bool"]);

/** a and b, on bool. @torch torch.logical_and */
export const logicalAnd = compare("logicalAnd", "and", ["bool"]);
/** a or b, on bool. @torch torch.logical_or */
export const logicalOr = compare("logicalOr", "or", ["bool"]);
/** not x, on bool. @torch torch.logical_not */
export const logicalNot = defineUnary("logicalNot", giving("bool", "bool"), ([x], { e }) => e.not(x), rest);
