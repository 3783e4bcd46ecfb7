// A scalar reading of kernels/expr for tests: an expression becomes one JavaScript function of numbers, rounded after every operation.
import { alwaysComputed, type Expr, exchanged, input, topological } from "../../kernels/expr.ts";
import { narrowing } from "./narrow.ts";

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

const helpers = {
  ...narrowing,
  pow2: (n: number): number => {
    word[0] = (n + 127) << 23;
    return float[0];
  },
  exponent: (x: number): number => {
    float[0] = x;
    return ((word[0] >>> 23) & 255) - 127;
  },
  saturate: (x: number): number =>
    Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))) | 0,
};

/** The function that `body` describes: input i is argument i, a float32, an int32, a uint32 word, or 0 or 1 for a bool. */
export function scalarFunction(body: Expr): (...inputs: number[]) => number {
  const order = topological(body, alwaysComputed);
  const rare = order.map((expr) =>
    expr.kind === "select" && expr.of
      ? scalarFunction(exchanged(expr.yes, new Map([[expr.of, input(0, expr.of.type)]])))
      : undefined,
  );
  const names = new Map(order.map((expr, i) => [expr, `v${i}`]));
  const lines = order.map((expr, i) => {
    const name = (child: Expr) => names.get(child) ?? `rare[${i}](${names.get((expr as { of: Expr }).of)})`;
    return `const ${names.get(expr)} = ${source(expr, name)};`;
  });
  const last = Math.max(-1, ...order.map((expr) => (expr.kind === "input" ? expr.index : -1)));
  const inputs = Array.from({ length: last + 1 }, (_, i) => `x${i}`);
  const make = new Function(
    "helpers",
    "rare",
    `const f = Math.fround, { pow2, exponent, saturate, bfloat16, float16 } = helpers;
     return (${inputs.join(", ")}) => { ${lines.join("\n")} return ${names.get(body)}; };`,
  );
  return make(helpers, rare);
}

function source(expr: Expr, name: (child: Expr) => string): string {
  switch (expr.kind) {
    case "input":
      return `x${expr.index}`;
    case "constant":
      return Object.is(expr.value, -0) ? "-0" : String(expr.value);
    case "unary": {
      const x = name(expr.x);
      return {
        neg: expr.type === "int32" ? `(-${x} | 0)` : `-${x}`,
        abs: expr.type === "int32" ? `(Math.abs(${x}) | 0)` : `Math.abs(${x})`,
        sqrt: `f(Math.sqrt(${x}))`,
        floor: `Math.floor(${x})`,
        not: `1 - ${x}`,
        pow2: `pow2(${x})`,
        exponent: `exponent(${x})`,
        high16: `${x} >>> 16`,
        low16: `${x} & 0xffff`,
        bfloat16: `bfloat16(${x})`,
        float16: `float16(${x})`,
        toFloat32: `f(${x})`,
        toInt32: expr.x.type === "float32" ? `saturate(${x})` : `${x} | 0`,
        toUint32: `${x} >>> 0`,
      }[expr.op];
    }
    case "binary": {
      const [a, b] = [name(expr.a), name(expr.b)];
      if (expr.type === "bool") return expr.op === "and" ? `${a} & ${b}` : `${a} | ${b}`;
      const signs = { add: "+", sub: "-", mul: "*", div: "/", and: "&", or: "|", xor: "^", shl: "<<", shr: ">>" };
      const sign = signs[expr.op];
      if (expr.type === "float32") return `f(${a} ${sign} ${b})`;
      const wrap = expr.type === "uint32" ? ">>> 0" : "| 0";
      if (expr.op === "shr" && expr.type === "uint32") return `${a} >>> ${b}`;
      if (expr.op === "div") return `${b} === 0 ? 0 : (${a} / ${b}) ${wrap}`;
      return `${expr.op === "mul" ? `Math.imul(${a}, ${b})` : `(${a} ${sign} ${b})`} ${wrap}`;
    }
    case "compare": {
      const sign = { lt: "<", le: "<=", eq: "===", ne: "!==", gt: ">", ge: ">=" }[expr.op];
      return `${name(expr.a)} ${sign} ${name(expr.b)} ? 1 : 0`;
    }
    case "select":
      return `${name(expr.condition)} ? ${name(expr.yes)} : ${name(expr.no)}`;
  }
}
