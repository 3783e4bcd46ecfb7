// Why an op gave other bits than it should: each known fault is tried on the op's own inputs, and the one that gives the wrong output bit for bit
// is the cause. What no fault reproduces is called unknown.
import { type Expr, topological } from "../../kernels/expr.ts";
import {
  asGather,
  type Compute,
  type Draws,
  type FoldKernel,
  isDraws,
  isFold,
  type LoopKernel,
} from "../../kernels/kernel.ts";
import { type Kernel, kindOf, type SpecialKernel, type SpecialKind } from "../../kernels/kinds.ts";
import { asProduct, type Product } from "../../kernels/product.ts";
import { placesOf } from "../../kernels/view.ts";
import { type KernelWord, wordOf } from "../../kernels/word.ts";
import type { TypedArray } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { fillWords } from "../rng/draws.ts";
import { bitsOf, differences, sameBits, sameElements } from "./bits.ts";
import { type Comparison, type ScalarFault, scalarOf } from "./scalar.ts";
import { faultySteps, type Order, otherOrders, sumIn, type Terms, writtenOrders } from "./sums.ts";

/** What can be wrong. `another program`: the two sides don't compute the same thing there. */
export type CauseName =
  | "another seed"
  | "draw range"
  | "order of a sum"
  | "data row"
  | "contraction"
  | "flushed subnormals"
  | "negative zero"
  | "NaN payload"
  | "changed constant"
  | "changed comparison"
  | "another program"
  | "unknown";

export interface Cause {
  readonly name: CauseName;
  /** What exactly, for a reader. */
  readonly detail: string;
}

/** An op's run that went wrong: what went in, what should have come out, and what did. */
export interface Suspect {
  /** The kernel that computes the op; undefined where nothing but bits is known. */
  readonly kernel?: Kernel;
  /** What it is computed from: as `readersOf` has it. */
  readonly inputs: readonly TypedArray[];
  readonly right: TypedArray;
  readonly wrong: TypedArray;
  readonly seed: bigint;
  /** The absolute offset that the kernel's draws are relative to. */
  readonly base: number;
  /** Seeds to try beside the obvious ones. */
  readonly seeds?: readonly bigint[];
}

/** So many elements are computed under each fault: those that differ first, then some that don't. */
const sampled = 256;
/** Draws before and after its own in which a range is looked for. */
const window = 1 << 18;

/** The fault that reproduces the wrong output. */
export function causeOf(suspect: Suspect): Cause {
  const { kernel, right, wrong } = suspect;
  return (
    bitsAlone(right, wrong) ??
    (kernel && (kernel.kind === "loop" ? loopCause(suspect, kernel) : specialCause(suspect, kernel))) ?? {
      name: "unknown",
      detail: `none of the known faults gives these bits, and none is claimed; ruled out: ${(kernel ? triedOn(kernel) : bitFaults).join(", ")}`,
    }
  );
}

const bitFaults: readonly CauseName[] = ["NaN payload", "negative zero"];
const bodyFaults: readonly CauseName[] = [
  ...bitFaults,
  "flushed subnormals",
  "contraction",
  "changed comparison",
  "changed constant",
];

/** What is tried on a loop of each form. */
const ruledOut: Readonly<Record<Exclude<KernelWord, SpecialKind>, readonly CauseName[]>> = {
  map: ["draw range", "another seed", ...bodyFaults],
  reduce: ["order of a sum", ...bodyFaults],
  matmul: [...bitFaults, "order of a sum", "contraction"],
  gather: [...bitFaults, "data row"],
};

/** What is tried on a kernel. */
function triedOn(kernel: Kernel): readonly CauseName[] {
  if (kernel.kind === "loop") return ruledOut[wordOf(kernel) as keyof typeof ruledOut];
  const { otherOrder, draws } = kindOf(kernel);
  const order = otherOrder ? (["order of a sum"] as const) : [];
  return [...bitFaults, ...order, ...(draws ? (["draw range", "another seed"] as const) : [])];
}

/** What the bits themselves show. */
function bitsAlone(right: TypedArray, wrong: TypedArray): Cause | undefined {
  if (!(right instanceof Float32Array) || right.length !== wrong.length) return undefined;
  const { at } = differences(right, wrong, { payload: true });
  if (at.length === 0) return undefined;
  if (at.every((i) => Number.isNaN(right[i]) && Number.isNaN(wrong[i]))) {
    const [x, y] = [right, wrong].map((data) => bitsOf(data)[at[0]].toString(16).padStart(8, "0"));
    return { name: "NaN payload", detail: `NaN as ${y} in place of ${x}: one value in every hash` };
  }
  if (at.every((i) => right[i] === 0 && wrong[i] === 0))
    return { name: "negative zero", detail: Object.is(right[at[0]], -0) ? "+0 in place of −0" : "−0 in place of +0" };
  return undefined;
}

/** An output computed another way, an element at a time; undefined where a kernel has no such elements. */
type Elements = (index: number) => number;

/** Whether `elements` gives the wrong output; `anyZero`: a zero of either sign will do, since hardware that flushes gives either. */
function reproduces({ right, wrong }: Suspect, elements: Elements, { anyZero = false } = {}): boolean {
  const { at } = differences(right, wrong, { most: sampled });
  const stride = Math.max(1, Math.floor(right.length / sampled));
  const others = Array.from({ length: Math.min(sampled, right.length) }, (_, i) => i * stride);
  if (at.length === 0) return false;
  const bits = bitsOf(wrong);
  const one = wrong.slice(0, 1);
  const oneBit = bitsOf(one);
  return [...at, ...others].every((i) => {
    if (i >= right.length) return true;
    one[0] = elements(i);
    return sameBits(oneBit[0], bits[i], wrong instanceof Float32Array) || (anyZero && one[0] === 0 && wrong[i] === 0);
  });
}

function loopCause(suspect: Suspect, kernel: LoopKernel): Cause | undefined {
  const product = asProduct(kernel);
  if (product) return otherProduct(suspect, product);
  const gather = asGather(kernel);
  if (gather) return otherRow(suspect, gather);
  if (isFold(kernel)) return otherFold(suspect, kernel);
  return wordsOf(suspect, kernel) ?? faultOf(suspect, kernel.body, (scalar) => scalar);
}

/** The other order, the range of draws, or the seed, in which the kernel's elements were computed. */
function specialCause(suspect: Suspect, kernel: SpecialKernel): Cause | undefined {
  const { wrong, inputs, base } = suspect;
  const kind = kindOf(kernel);
  const isFrom = (compute: Compute, seed: bigint, from: number): boolean => {
    const out = wrong.slice().fill(0);
    compute(inputs, out, { seed, base: from });
    return sameElements(out, wrong);
  };
  if (kind.otherOrder && isFrom(kind.otherOrder.compute(kernel), suspect.seed, base))
    return { name: "order of a sum", detail: kind.otherOrder.text };
  const range = kind.draws?.(kernel);
  if (!range) return undefined;
  const compute = kind.compute(kernel);
  const own = base + range.first;
  const found = nearby(own, (at) => isFrom(compute, suspect.seed, at - range.first));
  return found === undefined
    ? seedOf(suspect, (seed) => isFrom(compute, seed, base))
    : movedRange(own, found, range.count);
}

/** A fold's sum, or its body, computed another way. */
function otherFold(suspect: Suspect, { fold, dtype, body }: FoldKernel): Cause | undefined {
  if (fold.combine !== "sum" || dtype !== "float32") return undefined;
  const length = sizeOf(fold.reduced);
  const written = writtenOrders[fold.order];
  const terms = (value: Elements, from: number): Terms => ({ length, left: (i) => value(from * length + i) });
  const value = elementOf(suspect, body);
  // A sum of products: what a contracting compiler sees.
  const factors =
    body.kind === "binary" && body.op === "mul" ? [elementOf(suspect, body.a), elementOf(suspect, body.b)] : undefined;
  return (
    otherSum(suspect, written, (i) =>
      factors ? { ...terms(factors[0], i), right: (k) => factors[1](i * length + k) } : terms(value, i),
    ) ?? faultOf(suspect, body, (scalar) => (i) => sumIn(written, terms(scalar, i)))
  );
}

function otherProduct(suspect: Suspect, { rows, columns, depth }: Product): Cause | undefined {
  const [a, b] = suspect.inputs;
  return otherSum(suspect, writtenOrders.chunks, (index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const from = Math.floor(row / rows) * depth * columns + column;
    return { length: depth, left: (k) => a[row * depth + k], right: (k) => b[from + k * columns] };
  });
}

const elementOf = ({ inputs }: Suspect, body: Expr, fault: ScalarFault = {}): Elements => {
  const scalar = scalarOf(body, fault);
  let at = 0;
  const read = (index: number) => inputs[index][at];
  return (index) => {
    at = index;
    return scalar(read);
  };
};

/** Faults of a body: flushed, contracted, with another comparison or constant. `around` makes an output's element of the body's. */
function faultOf(suspect: Suspect, body: Expr, around: (scalar: Elements) => Elements): Cause | undefined {
  const tries = (fault: ScalarFault) =>
    reproduces(suspect, around(elementOf(suspect, body, fault)), { anyZero: fault.flush !== undefined });
  const flushes = {
    last: "in the result",
    results: "in the results of operations",
    operands: "in operands",
    both: "in operands and results",
  };
  for (const [flush, where] of Object.entries(flushes) as [keyof typeof flushes, string][])
    if (tries({ flush })) return { name: "flushed subnormals", detail: `subnormals became zeros ${where}` };
  const contractions = {
    first: "a product and the addition after it in one rounding (fused multiply-add)",
    second: "a product and the addition after it in one rounding (fused multiply-add), the second of two products",
    wide: "intermediate results weren't rounded to float32",
  };
  for (const [contract, what] of Object.entries(contractions) as [keyof typeof contractions, string][])
    if (tries({ contract })) return { name: "contraction", detail: what };
  for (const of of topological(body)) {
    if (of.kind !== "compare") continue;
    const op = strictness[of.op];
    if (op !== undefined && tries({ comparison: { of, op } }))
      return { name: "changed comparison", detail: `${signs[op]} in place of ${signs[of.op]}` };
  }
  const [fit, ...others] = constantsOf(body).flatMap((of) =>
    slips(of.value)
      .filter((value) => tries({ constant: { of, value } }))
      .map((value) => [decimal(value), decimal(of.value)] as const),
  );
  // Where several values give these bits, they don't tell which it was, or whether it was a constant at all.
  if (fit && others.every(([value, own]) => value === fit[0] && own === fit[1]))
    return { name: "changed constant", detail: `${fit[0]} in place of ${fit[1]}` };
  return undefined;
}

/** The comparison that a slip makes of another. */
const strictness: Readonly<Partial<Record<Comparison, Comparison>>> = { lt: "le", le: "lt", gt: "ge", ge: "gt" };
const signs: Readonly<Record<Comparison, string>> = { lt: "<", le: "≤", gt: ">", ge: "≥", eq: "=", ne: "≠" };

function constantsOf(body: Expr): (Expr & { kind: "constant" })[] {
  return topological(body).filter(
    (expr): expr is Expr & { kind: "constant" } =>
      expr.kind === "constant" && expr.type === "float32" && Number.isFinite(expr.value),
  );
}

/** The shortest decimal that is this float32. */
export function decimal(value: number): string {
  for (let digits = 1; digits < 10; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text));
  }
  return String(value);
}

/** Values that stand for a constant after a slip of the pen: fewer digits, or another digit in the 3rd to 7th decimal or digit. */
function slips(value: number): number[] {
  const found = new Set<number>();
  const exact = Number(decimal(value));
  const unit = value === 0 ? 1 : Number(`1e${value.toExponential().split("e")[1]}`);
  for (let digits = 1; digits <= 7; digits++) found.add(Number(value.toPrecision(digits)));
  for (let place = 3; place <= 7; place++) {
    for (let digit = 1; digit <= 9; digit++) {
      const step = digit * Number(`1e-${place}`);
      for (const change of [step, -step, step * unit, -step * unit]) found.add(Number((exact + change).toPrecision(9)));
    }
  }
  return [...found].filter((other) => Math.fround(other) !== Math.fround(value));
}

/** Another order of the same sum, or a fault of its steps. */
function otherSum(suspect: Suspect, written: Order, terms: (index: number) => Terms): Cause | undefined {
  const products = terms(0).right !== undefined;
  for (const [name, what, sum] of products ? faultySteps : faultySteps.filter(([, , , plain]) => plain))
    if (reproduces(suspect, (i) => sum(terms(i), written), { anyZero: name === "flushed subnormals" }))
      return { name, detail: what };
  for (const [name, order] of otherOrders)
    if (order !== written && reproduces(suspect, (i) => sumIn(order, terms(i))))
      return { name: "order of a sum", detail: `${name}, in place of the written order` };
  return undefined;
}

/** A read by index that took other rows. */
function otherRow(
  { inputs: [x, indices], right, wrong }: Suspect,
  { view, index: { extent, stride } }: NonNullable<ReturnType<typeof asGather>>,
): Cause | undefined {
  const places = placesOf(view);
  const place = (i: number, index: number) => places[i] + index * stride;
  const { at } = differences(right, wrong);
  const rows = at.map((i) =>
    Array.from({ length: extent }, (_, index) => index).find((index) => Object.is(x[place(i, index)], wrong[i])),
  );
  if (at.length === 0 || rows.some((row) => row === undefined)) return undefined;
  return { name: "data row", detail: `it read index ${rows[0]} in place of ${indices[at[0]]}` };
}

/** The range of draws, or the seed, that the words came from which a map is over. */
function wordsOf(suspect: Suspect, { inputs, body }: LoopKernel): Cause | undefined {
  const { wrong, seed, base } = suspect;
  const at = inputs.findIndex(({ source }) => isDraws(source));
  if (at < 0 || wrong.length === 0) return undefined;
  const own = base + (inputs[at].source as Draws).firstDraw;
  const words = new Uint32Array(wrong.length);
  const redrawn = { ...suspect, inputs: suspect.inputs.map((input, i) => (i === at ? words : input)) };
  const isFrom = (from: bigint, offset: number): boolean => {
    fillWords(from, offset, words);
    return reproduces(redrawn, elementOf(redrawn, body));
  };
  const found =
    body.kind === "input" ? findWords(wrong as Uint32Array, seed, own) : nearby(own, (offset) => isFrom(seed, offset));
  return found === undefined ? seedOf(suspect, (from) => isFrom(from, own)) : movedRange(own, found, wrong.length);
}

/** The other seed whose draws these are. */
function seedOf({ seed, seeds = [] }: Suspect, isFrom: (seed: bigint) => boolean): Cause | undefined {
  const other = [...seeds, ...likelySeeds(seed)].find((each) => each !== seed && isFrom(each));
  return other === undefined
    ? undefined
    : { name: "another seed", detail: `draws of seed ${other} in place of ${seed}` };
}

/** A range of draws that isn't where it should be. */
export function movedRange(own: number, found: number, count: number): Cause {
  const by = found - own;
  const moved = `${Math.abs(by)} draw${Math.abs(by) === 1 ? "" : "s"} ${by > 0 ? "later" : "earlier"}`;
  return {
    name: "draw range",
    detail: `draws [${found}, ${found + count}) of the stream in place of [${own}, ${own + count}): ${moved}`,
  };
}

/** Where in the stream a run of words begins, near an offset. */
function findWords(words: Uint32Array, seed: bigint, near: number): number | undefined {
  const start = Math.max(0, near - window);
  const all = new Uint32Array(near - start + window + words.length);
  fillWords(seed, start, all);
  for (let at = 0; at + words.length <= all.length; at++) {
    let same = 0;
    while (same < words.length && all[at + same] === words[same]) same++;
    if (same === words.length) return start + at;
  }
  return undefined;
}

/** The offset near another at which something holds, nearest first. */
export function nearby(near: number, holds: (offset: number) => boolean, reach = 64): number | undefined {
  for (let by = 1; by <= reach; by++) {
    if (holds(near + by)) return near + by;
    if (by <= near && holds(near - by)) return near - by;
  }
  return undefined;
}

/** Seeds that a slip makes of another: its neighbours, its halves, small numbers. */
export function likelySeeds(seed: bigint): bigint[] {
  const small = Array.from({ length: 100 }, (_, i) => BigInt(i));
  const low = seed & 0xffffffffn;
  const candidates = [seed + 1n, seed - 1n, low, seed >> 32n, low << 32n, 42n, ...small, 1234n, 1337n, 12345n];
  return candidates.filter((other) => other >= 0n && other < 1n << 64n && other !== seed);
}
