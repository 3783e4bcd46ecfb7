// Scalar expressions as GPU.js source: one local an operation, `Math.fround` around every float operation, so that the doubles of cpu mode and
// the float32 of webasm round alike. Only what both modes do alike is emitted; the rest isn't printable and runs elsewhere.
import { children, type Expr, topological } from "../../../kernels/expr.ts";
import { float32FromBits } from "../../core/canonical.ts";
import { withRoundingInSteps } from "./rounding.ts";

/** What the body's inputs read as: source text per input, for high16 and low16 of a uint32 one its two halves. */
export interface InputText {
  readonly value: string;
  readonly high?: string;
  readonly low?: string;
}

export interface PrintedBody {
  /** Statements, then the name that holds the value. */
  readonly lines: readonly string[];
  readonly result: string;
  /** Numbers that the source reads as `k[i]`; the first is 0. */
  readonly constants: readonly number[];
  /** Whether it reads the table of powers, `p`. */
  readonly usesPowers: boolean;
}

/** Integers below this are exact in float32, and so in every local of webasm. */
export const exactIntegers = 2 ** 24;

/**
 * Whether a body can be printed: float32 and bool, uint32 words by halves, int32 only as small constants and coordinates, to compare or to cast, and
 * as elements that are compared with a coordinate for equality alone: rounded to float32 they are equal to it only if they are it. `coordinates`:
 * which inputs are coordinates.
 */
export function isPrintable(body: Expr, coordinates: ReadonlySet<number>): boolean {
  const order = topological(body);
  const isWord = ({ type }: Expr) => type === "uint32";
  const isHalf = (expr: Expr) => expr.kind === "unary" && (expr.op === "high16" || expr.op === "low16");
  if (body.type === "int32" || isWord(body)) return false;
  if (order.some((expr) => (isWord(expr) ? expr.kind !== "input" : !isHalf(expr) && children(expr).some(isWord))))
    return false;
  const isCoordinate = (expr: Expr) => expr.kind === "input" && coordinates.has(expr.index);
  const isMatched = (expr: Expr) =>
    order.every(
      (user) =>
        !children(user).includes(expr) ||
        (user.kind === "compare" && user.op === "eq" && (isCoordinate(user.a) || isCoordinate(user.b))),
    );
  return order.every((expr) => {
    if (expr.type !== "int32") return true;
    if (expr.kind === "constant") return Math.abs(expr.value) < exactIntegers;
    return expr.kind === "input" && (isCoordinate(expr) || isMatched(expr));
  });
}

/** 2ⁿ for n from −126 to 127, from its bits. */
export const powerOfTwo = (n: number) => float32FromBits((n + 127) << 23);

/** Exact powers of two for `exponent`, largest first. */
const steps = [64, 32, 16, 8, 4, 2, 1];

const signs = { add: "+", sub: "-", mul: "*", div: "/" };

/** Prints a body; names begin with `prefix`. */
export function printBody(given: Expr, inputs: readonly InputText[], prefix = "v"): PrintedBody {
  const body = withRoundingInSteps(given);
  const lines: string[] = [];
  const constants: number[] = [0];
  let usesPowers = false;
  let made = 0;
  const constant = (value: number) => {
    const known = constants.findIndex((other) => Object.is(other, value));
    return `k[${known >= 0 ? known : constants.push(value) - 1}]`;
  };
  const local = (text: string) => {
    const name = `${prefix}${made++}`;
    lines.push(`let ${name} = ${text};`);
    return name;
  };
  /** ⌊log₂ x⌋ of a normal x > 0: scaled into [1, 2) by exact powers. */
  const exponent = (x: string): string => {
    let [y, e] = [x, local(constant(0))];
    for (const step of steps) {
      const power = constant(powerOfTwo(step));
      const inverse = constant(powerOfTwo(-step));
      const above = local(`${y} >= ${power} ? ${constant(1)} : ${constant(0)}`);
      [y, e] = [
        local(`${above} > ${constant(0.5)} ? Math.fround(${y} * ${inverse}) : ${y}`),
        local(`${above} > ${constant(0.5)} ? Math.fround(${e} + ${constant(step)}) : ${e}`),
      ];
    }
    for (const step of steps) {
      const below = local(`${y} < ${constant(powerOfTwo(1 - step))} ? ${constant(1)} : ${constant(0)}`);
      [y, e] = [
        local(`${below} > ${constant(0.5)} ? Math.fround(${y} * ${constant(powerOfTwo(step))}) : ${y}`),
        local(`${below} > ${constant(0.5)} ? Math.fround(${e} - ${constant(step)}) : ${e}`),
      ];
    }
    return e;
  };
  const names = new Map<Expr, string>();
  const name = (expr: Expr) => names.get(expr)!;
  for (const expr of topological(body)) {
    switch (expr.kind) {
      case "input":
        names.set(expr, expr.type === "uint32" ? "" : local(inputs[expr.index].value));
        break;
      case "constant":
        names.set(expr, constant(expr.value));
        break;
      case "binary": {
        const [a, b] = [name(expr.a), name(expr.b)];
        if (expr.op === "and") names.set(expr, local(`${a} > ${constant(0.5)} ? ${b} : ${constant(0)}`));
        else if (expr.op === "or") names.set(expr, local(`${a} > ${constant(0.5)} ? ${constant(1)} : ${b}`));
        else names.set(expr, local(`Math.fround(${a} ${signs[expr.op as keyof typeof signs]} ${b})`));
        break;
      }
      case "compare": {
        const sign = { lt: "<", le: "<=", eq: "===", ne: "!==", gt: ">", ge: ">=" }[expr.op];
        names.set(expr, local(`${name(expr.a)} ${sign} ${name(expr.b)} ? ${constant(1)} : ${constant(0)}`));
        break;
      }
      case "select":
        names.set(expr, local(`${name(expr.condition)} > ${constant(0.5)} ? ${name(expr.yes)} : ${name(expr.no)}`));
        break;
      case "unary": {
        const x = name(expr.x);
        if (expr.op === "pow2") {
          usesPowers = true;
          // An index out of the table is unspecified by kernels/expr, but must not be a NaN.
          const index = local(
            `${x} >= ${constant(-126)} ? (${x} <= ${constant(127)} ? ${x} : ${constant(127)}) : ${constant(-126)}`,
          );
          names.set(expr, local(`p[${index} + 126]`));
        } else if (expr.op === "exponent") names.set(expr, exponent(x));
        else if (expr.op === "high16" || expr.op === "low16") {
          const word = inputs[(expr.x as Expr & { kind: "input" }).index];
          names.set(expr, local(expr.op === "high16" ? word.high! : word.low!));
        } else if (expr.op === "not")
          names.set(expr, local(`${x} > ${constant(0.5)} ? ${constant(0)} : ${constant(1)}`));
        else if (expr.op === "sqrt") names.set(expr, local(`Math.fround(Math.sqrt(${x}))`));
        else if (expr.op === "neg") names.set(expr, local(`-${x}`));
        else if (expr.op === "abs") names.set(expr, local(`Math.abs(${x})`));
        else if (expr.op === "floor") names.set(expr, local(`Math.floor(${x})`));
        else names.set(expr, x);
        break;
      }
    }
  }
  return { lines, result: name(body), constants, usesPowers };
}
