// Scalar expressions as WGSL: a name an operation. A float is the u32 of its bits, and what is done with it a call of arithmetic.ts: a shader's own floats
// may be contracted, reassociated and flushed.
import { type Expr, topological } from "../../../kernels/expr.ts";
import { literal, type Shader } from "./shader.ts";

const floats: Readonly<Record<string, string>> = {
  ...{ add: "fadd", sub: "fsub", mul: "fmul", div: "fdiv", sqrt: "fsqrt", floor: "ffloor" },
  ...{ lt: "flt", le: "fle", eq: "feq", ne: "fne", gt: "fgt", ge: "fge" },
  ...{ pow2: "fpow2", exponent: "fexponent", bfloat16: "fbfloat16", float16: "ffloat16" },
};
const signs: Readonly<Record<string, string>> = {
  ...{ add: "+", sub: "-", mul: "*", and: "&", or: "|", xor: "^" },
  ...{ lt: "<", le: "<=", eq: "==", ne: "!=", gt: ">", ge: ">=" },
};

/** Statements, names of which begin with `prefix`, and the name that holds the value. `inputs`: what the body's inputs are called. */
export function printExpression(
  shader: Shader,
  body: Expr,
  inputs: readonly string[],
  prefix = "v",
): { lines: string[]; result: string } {
  const lines: string[] = [];
  const names = new Map<Expr, string>();
  const text = (expr: Expr): string => {
    const name = (part: Expr) => names.get(part)!;
    switch (expr.kind) {
      case "input":
        return inputs[expr.index];
      case "constant":
        return literal(expr.type, expr.value);
      case "select":
        return `select(${name(expr.no)}, ${name(expr.yes)}, ${name(expr.condition)})`;
      case "compare":
        if (expr.a.type === "float32") return shader.call(floats[expr.op], name(expr.a), name(expr.b));
        return `${name(expr.a)} ${signs[expr.op]} ${name(expr.b)}`;
      case "binary": {
        const [a, b] = [name(expr.a), name(expr.b)];
        if (expr.type === "float32") return shader.call(floats[expr.op], a, b);
        if (expr.op === "div") return `select(${a} / select(${b}, 1, ${b} == 0), 0, ${b} == 0)`;
        if (expr.op === "shl" || expr.op === "shr")
          return `${a} ${expr.op === "shl" ? "<<" : ">>"} (${expr.type === "int32" ? `bitcast<u32>(${b})` : b} & 31u)`;
        if (expr.type === "bool" && expr.op === "xor") return `${a} != ${b}`;
        return `${a} ${signs[expr.op]} ${b}`;
      }
      case "unary":
        return unary(shader, expr, name(expr.x));
    }
  };
  for (const expr of topological(body)) {
    if (expr.kind === "input") {
      names.set(expr, text(expr));
      continue;
    }
    const name = `${prefix}${names.size}`;
    // A sum of integer literals would be refused where it wraps: names of variables aren't literals.
    const word = expr.kind === "constant" && expr.type !== "float32" ? "var" : "let";
    lines.push(`${word} ${name} = ${text(expr)};`);
    names.set(expr, name);
  }
  return { lines, result: names.get(body)! };
}

function unary(shader: Shader, { op, x: { type } }: Expr & { kind: "unary" }, x: string): string {
  switch (op) {
    case "not":
      return `!${x}`;
    case "neg":
      return type === "float32" ? `${x} ^ 0x80000000u` : `-${x}`;
    case "abs":
      return type === "float32" ? `${x} & 0x7fffffffu` : `abs(${x})`;
    case "high16":
      return shader.call("f_from_i32", `bitcast<i32>(${x} >> 16u)`);
    case "low16":
      return shader.call("f_from_i32", `bitcast<i32>(${x} & 0xffffu)`);
    case "toFloat32":
      return type === "bool" ? `select(0u, 0x3f800000u, ${x})` : shader.call("f_from_i32", x);
    case "toInt32":
      if (type === "uint32") return `bitcast<i32>(${x})`;
      return type === "bool" ? `select(0i, 1i, ${x})` : shader.call("f_to_i32", x);
    case "toUint32":
      return `bitcast<u32>(${x})`;
    default:
      return shader.call(floats[op], x);
  }
}
