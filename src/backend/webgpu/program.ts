// A loop kernel as the words that the interpreter reads.
import { children, type Expr, topological } from "../../../kernels/expr.ts";
import { isArgument, isDraws, type LoopKernel, loopShape, neutral, withIndices } from "../../../kernels/kernel.ts";
import { sizeOf } from "../../core/shape.ts";
import { groupSize } from "../../schedule/grid.ts";
import { mergeAxes, written } from "../../schedule/merge.ts";
import type { NestInput } from "../../schedule/nest.ts";
import {
  combines,
  header,
  inputKinds,
  inputWords,
  interpreterGroups,
  interpreterSource,
  interpreterWords,
  modes,
  mostAxes,
  operations,
  registers,
} from "./interpreter.ts";
import { bitsOf, type Dispatch, firstSlot, type Slot } from "./shader.ts";

/** Where in a dispatch's words what a program names begins: behind where that lies, where scratch memory does, and how many outputs may be computed again. */
const firstNamed = firstSlot + 3;

/** A comparison or an operation as the interpreter has it: perhaps with the operands exchanged. */
const exchanged: Readonly<Record<string, string>> = { gt: "lt", ge: "le" };

function operationOf(expr: Expr): { code: number; operands: readonly Expr[] } {
  const find = (...names: string[]) => {
    const code = operations.findIndex(([name]) => names.includes(name));
    if (code < 0) throw new TypeError(`the interpreter has no ${names.join(" or ")}`);
    return code;
  };
  if (expr.kind === "select") return { code: find("select"), operands: [expr.condition, expr.yes, expr.no] };
  if (expr.kind === "compare") {
    const { type } = expr.a;
    const op = exchanged[expr.op] ?? expr.op;
    const operands = op === expr.op ? [expr.a, expr.b] : [expr.b, expr.a];
    return { code: type === "float32" ? find(`float32 ${op}`) : find(`${type} ${op}`, op), operands };
  }
  if (expr.kind === "unary") return { code: find(`${expr.x.type} ${expr.op}`, expr.op), operands: [expr.x] };
  if (expr.kind === "binary") {
    const { op, type } = expr;
    const name = `${type} ${op}`;
    return { code: type === "float32" ? find(name) : find(name, `int32 ${op}`, op), operands: [expr.a, expr.b] };
  }
  throw new TypeError(`no operation is ${expr.kind}`);
}

/** The operations of a body, five words each, over registers of which the first are the inputs'; null where there aren't enough. */
function operationsOf(body: Expr, inputs: number): { words: number[]; count: number; result: number } | null {
  const order = topological(body);
  const last = new Map<Expr, number>();
  order.forEach((expr, at) => {
    for (const part of children(expr)) last.set(part, at);
  });
  const free = Array.from({ length: registers - inputs }, (_, i) => registers - 1 - i);
  const places = new Map<Expr, number>();
  const words: number[] = [];
  for (const [at, expr] of order.entries()) {
    if (expr.kind === "input") {
      places.set(expr, expr.index);
      continue;
    }
    const to = free.pop();
    if (to === undefined) return null;
    if (expr.kind === "constant") {
      words.push(operations.length, to, expr.type === "float32" ? bitsOf(expr.value) : expr.value >>> 0, 0, 0);
    } else if (expr.kind === "binary" && expr.type === "float32" && expr.op === "sub") {
      // a − b is a + −b.
      const name = (op: string) => operations.findIndex(([each]) => each === `float32 ${op}`);
      words.push(name("neg"), to, places.get(expr.b)!, 0, 0, name("add"), to, places.get(expr.a)!, to, 0);
    } else {
      const { code, operands } = operationOf(expr);
      const [a = 0, b = 0, c = 0] = operands.map((part) => places.get(part)!);
      words.push(code, to, a, b, c);
    }
    places.set(expr, to);
    for (const part of new Set(children(expr))) {
      if (part.kind !== "input" && last.get(part) === at) free.push(places.get(part)!);
    }
  }
  return { words, count: words.length / 5, result: places.get(body)! };
}

/** What computes outputs of a kernel again that are in a list `list` words into scratch memory; null where its description is too long for the interpreter. */
export function repairOf(kernel: LoopKernel, isGuarded: boolean, list = 0): Dispatch | null {
  const { fold, inputs, body, shape } = kernel;
  const all = [...withIndices(inputs), written(kernel, fold?.reduced)];
  const nest = mergeAxes(loopShape(kernel), all, fold ? shape.length : 0);
  const { extents } = nest;
  const outer = fold ? nest.outer : extents.length;
  const expression = operationsOf(body, all.length);
  if (!expression || extents.length > mostAxes || all.length >= registers / 2) return null;
  const slots: Slot[] = [];
  let next = firstNamed;
  const known = new Map<string, number>();
  const slotOf = ({ source }: NestInput): number => {
    if (source === "coordinate") return 0;
    const name = isDraws(source) ? `draw ${source.firstDraw}` : String(source);
    const before = known.get(name);
    if (before !== undefined) return before;
    slots.push(isDraws(source) ? { draws: source } : { value: source });
    known.set(name, next);
    next += isDraws(source) ? 2 : 1;
    return known.get(name)!;
  };
  let indexed = inputs.length;
  const described = nest.inputs.flatMap((input, i) => {
    const index = inputs[i]?.index;
    const kind = input.never
      ? "never"
      : input.source === "coordinate"
        ? "coordinate"
        : isDraws(input.source)
          ? "word"
          : "element";
    const axes = extents.flatMap((extent, axis) => [input.strides[axis], ...(input.bounds[axis] ?? [0, extent])]);
    const at = index ? [++indexed, index.stride, index.extent] : [0, 0, 0];
    const own = [inputKinds.indexOf(kind), slotOf(input), input.offset, ...at];
    if (own.length !== inputWords) throw new TypeError("an input has other words");
    return [...own, ...axes];
  });
  if (next > interpreterWords) return null;
  const { type } = body;
  const combine = fold?.combine ?? "sum";
  const isIndex = isArgument(combine);
  const start = neutral(combine, type as "float32");
  const fields: Record<(typeof header)[number], number> = {
    mode: modes.indexOf(!fold ? "map" : isIndex ? "argument" : fold.order),
    combine: combines.indexOf(combine),
    isFloat: Number(type === "float32"),
    neutral: type === "float32" ? bitsOf(start) : start,
    count: fold ? sizeOf(fold.reduced) : 1,
    axes: extents.length,
    outer,
    inputs: all.length - 1,
    operations: expression.count,
    result: expression.result,
    target: all.length - 1,
    isGuarded: Number(isGuarded),
    list,
    size: sizeOf(shape),
  };
  // A term takes about as long as 4 operations beside its own.
  const operations = fields.count * (expression.count + 4);
  // `inputs` are read; what is written stands behind them, and the operations behind all.
  const words = [...header.map((name) => fields[name]), ...extents, ...described, ...expression.words];
  const program = Uint32Array.from(words, (word) => word >>> 0);
  return {
    source: interpreterSource(),
    groups: Math.min(interpreterGroups, Math.ceil(fields.size / groupSize)),
    slots: [{ program }, { scratch: true }, { operations }, ...slots],
    scratch: list + fields.size,
    checks: [],
    isRepair: true,
  };
}
