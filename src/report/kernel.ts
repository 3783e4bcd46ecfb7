// Kernels as text that a person can check against the graph: what each reads, what it computes an element, and in which order sums run.
import { children, type Expr, topological } from "../../kernels/expr.ts";
import { blockSize, chunkSize, type KernelInput, laneCount, type Stored } from "../../kernels/kernel.ts";
import { type Kernel, kindOf } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import { isContiguous } from "../../kernels/view.ts";
import { wordOf } from "../../kernels/word.ts";
import { kernelCost } from "../compile/cost.ts";
import type { Plan, Value } from "../compile/plan.ts";
import { formatShape, sizeOf } from "../core/shape.ts";

/** A kernel in a few lines: what it costs, reads and computes. */
export function printKernel(kernel: Kernel, number: number, plan: Plan): string[] {
  const { flops, bytesRead, bytesWritten } = kernelCost(kernel, plan);
  const { shape, output } = kernel;
  return [
    `kernel ${number}: ${wordOf(kernel)} → ${name(output, plan)} ${kept(kernel)}${formatShape(shape)}  ${flops} FLOP, ${bytesRead} B read, ${bytesWritten} B written`,
    ...bodyOf(kernel, plan).map((line) => `  ${line}`),
  ];
}

/** What elements are in memory. */
const kept = ({ dtype, storage }: Stored) => storage ?? dtype;

/** A value by its number, and where it lives. */
function name(value: number, plan: Plan): string {
  const { values, inputs, outputs } = plan;
  const port = (ports: Plan["inputs"], index: number) => JSON.stringify(ports[index].name);
  const places: { [K in Value["place"]["kind"]]: (place: Value["place"] & { kind: K }) => string } = {
    input: ({ index }) => port(inputs, index),
    output: ({ index }) => port(outputs, index),
    constant: () => `constant v${value}`,
    temporary: () => `v${value}`,
    part: ({ of, repeat }) => `part v${value} of ${name(of, plan)}${repeat ? " at t" : ""}`,
  };
  const { place } = values[value];
  return (places[place.kind] as (of: Value["place"]) => string)(place);
}

const letters = "abcdefghijklmnopqrstuvwxyz";

/** One input's name, and what it is. */
const inputLine = (input: KernelInput, index: number, plan: Plan) =>
  `${letters[index] ?? `i${index}`} = ${described(input, plan)}`;

/** What an input is. */
function described(input: KernelInput, plan: Plan): string {
  const { source, view } = input;
  const { shape, strides, offset, bounds } = view;
  const what =
    typeof source === "number"
      ? name(source, plan)
      : source === "coordinate"
        ? "an index"
        : `draws [${source.firstDraw}, ${source.firstDraw + sizeOf(shape)}) from the base,`;
  const plain = source !== "coordinate" && isContiguous(view);
  const moved = plain ? "" : ` by strides [${strides.join(", ")}]${offset === 0 ? "" : ` from ${offset}`}`;
  const bounded = bounds.some(Boolean) ? ` within ${JSON.stringify(bounds)}` : "";
  const { index } = input;
  const further = index ? ` plus ${index.stride} × ${described(index.at, plan)}, an index below ${index.extent}` : "";
  return `${what} ${kept(input)}${formatShape(shape)}${moved}${bounded}${further}`;
}

function bodyOf(kernel: Kernel, plan: Plan): string[] {
  const inputs = (list: readonly KernelInput[]) => list.map((input, i) => inputLine(input, i, plan));
  if (kernel.kind !== "loop") {
    const { text, inputText } = kindOf(kernel);
    const lines = inputs(kernel.inputs).map((line, i) => `${line}${inputText?.(kernel, i) ?? ""}`);
    return [...lines, text(kernel)];
  }
  const { fold, body } = kernel;
  const product = asProduct(kernel);
  if (product)
    return [
      ...inputs([product.a, product.b]),
      `out[i, j] = sum of a[i, k]·b[k, j], k < ${product.depth}: chunks of ${chunkSize}, ascending, each product and sum rounded`,
    ];
  if (!fold) return [...inputs(kernel.inputs), ...printExpression(body, "out")];
  const order =
    fold.order === "lanes"
      ? `blocks of ${blockSize}, ${laneCount} lanes in each, lanes combined by halves`
      : `chunks of ${chunkSize}, ascending`;
  return [
    ...inputs(kernel.inputs),
    ...printExpression(body, "x"),
    `out = ${fold.combine} of x over ${formatShape(fold.reduced)}: ${order}`,
  ];
}

const symbols: Readonly<Record<string, string>> = {
  add: "+",
  sub: "−",
  mul: "·",
  div: "÷",
  and: "and",
  or: "or",
  xor: "xor",
  shl: "<<",
  shr: ">>",
  lt: "<",
  le: "≤",
  eq: "==",
  ne: "≠",
  gt: ">",
  ge: "≥",
};

/** An expression as assignments, one a line: what is used more than once, or is deep, has a name of its own. */
function printExpression(body: Expr, result: string): string[] {
  const order = topological(body);
  const uses = new Map<Expr, number>();
  for (const expr of order) for (const child of children(expr)) uses.set(child, (uses.get(child) ?? 0) + 1);
  const texts = new Map<Expr, string>();
  const lines: string[] = [];
  for (const expr of order) {
    const text = printOne(expr, (child) => texts.get(child)!);
    const leaf = expr.kind === "input" || expr.kind === "constant";
    if (expr === body) lines.push(`${result} = ${bare(text)}`);
    else if (!leaf && ((uses.get(expr) ?? 0) > 1 || text.length > 60)) {
      texts.set(expr, `t${lines.length}`);
      lines.push(`t${lines.length} = ${bare(text)}`);
    } else texts.set(expr, text);
  }
  return lines;
}

const bare = (text: string) => (/^\([^()]*\)$/.test(text) ? text.slice(1, -1) : text);

function printOne(expr: Expr, of: (child: Expr) => string): string {
  switch (expr.kind) {
    case "input":
      return letters[expr.index];
    case "constant":
      return Object.is(expr.value, -0) ? "-0" : String(expr.value);
    case "unary":
      return `${expr.op}(${bare(of(expr.x))})`;
    case "binary":
    case "compare":
      return `(${of(expr.a)} ${symbols[expr.op]} ${of(expr.b)})`;
    case "select":
      return `(${of(expr.condition)} ? ${of(expr.yes)} : ${of(expr.no)})`;
  }
}
