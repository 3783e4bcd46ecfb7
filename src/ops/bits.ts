// Operations on the bits of integers: int32, and uint32 words. No gradient.
import * as e from "../../kernels/expr.ts";
import { defineBinary, defineUnary, refuseDTypes, sameDType } from "./define.ts";
import type { RecordBase } from "./record.ts";

const samples = { range: [0, 1], edges: [] } as const;
const both = sameDType("int32", "uint32");
const integers: RecordBase["dtype"] = (inputs, attributes, where) => {
  const hint = "truths are combined by logicalAnd, logicalOr, logicalNot, and notEqual where only one is to hold";
  if (inputs.every((dtype) => dtype === "bool")) refuseDTypes(where, inputs, "int32 or uint32", hint);
  return both(inputs, attributes, where);
};
const bitwise = (name: string, value: (a: e.Expr, b: e.Expr) => e.Expr) =>
  defineBinary(name, integers, ([a, b]) => value(a, b), { vjp: "none", samples });

/** The bits that both have. [...] int32 or uint32 → the same. @torch torch.bitwise_and */
export const bitAnd = bitwise("bitAnd", e.and);
/** The bits that either has. [...] int32 or uint32 → the same. @torch torch.bitwise_or */
export const bitOr = bitwise("bitOr", e.or);
/** The bits that one of the two has. [...] int32 or uint32 → the same. @torch torch.bitwise_xor */
export const bitXor = bitwise("bitXor", e.xor);
/** a · 2ᵇ, wrapping; b counts mod 32, as in JavaScript. [...] int32 or uint32 → the same. @torch torch.bitwise_left_shift */
export const shiftLeft = bitwise("shiftLeft", e.shl);
/** ⌊a ÷ 2ᵇ⌋: int32 keeps its sign, uint32 is filled with zeros; b counts mod 32, as in JavaScript. [...] int32 or uint32 → the same. @torch torch.bitwise_right_shift */
export const shiftRight = bitwise("shiftRight", e.shr);

/** Every bit the other way: −1 − x on int32. [...] int32 or uint32 → the same. @torch torch.bitwise_not */
export const bitNot = defineUnary("bitNot", integers, ([x]) => e.xor(x, x.type === "int32" ? -1 : 2 ** 32 - 1), {
  vjp: "none",
  samples,
});
