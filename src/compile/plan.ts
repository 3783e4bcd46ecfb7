// A plan: a graph as kernels in order over numbered values, with every value's place in memory fixed. Pure data: backends run it.

import type { NarrowFormat } from "../../kernels/expr.ts";
import { elementBytes, type Kernel, kernelInputs, type Stored } from "../../kernels/kernel.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Graph } from "../graph/hash.ts";

/** Where a value lives: bound by the caller of a run, part of the plan, or in the arena at a byte offset. */
export type Place =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "constant"; readonly data: TypedArray }
  | { readonly kind: "arena"; readonly offset: number };

/** One buffer of the plan. */
export interface Value extends Stored {
  /** Only of values in the arena: what comes from or goes to the caller is kept as its dtype. */
  storage?: NarrowFormat;
  readonly shape: Shape;
  readonly size: number;
  place: Place;
}

/** Bytes that a value takes. */
export const valueBytes = (value: Value): number => value.size * elementBytes(value);

/** What the caller binds to an input or gets from an output. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The value read or written. */
  readonly value: number;
}

export interface Plan {
  /** The graph it was made from: what `reference` runs, node by node, instead of the kernels. */
  readonly graph: Graph;
  /** The graph's hash, watched roots included: the cache's key. */
  readonly key: string;
  readonly graphHash: string;
  readonly values: readonly Value[];
  readonly kernels: readonly Kernel[];
  readonly inputs: readonly Port[];
  /** Outputs, then watched roots. */
  readonly outputs: readonly Port[];
  /** State: each pair is bound to one buffer, and the kernels are ordered so that this is safe. */
  readonly state: readonly { readonly input: number; readonly output: number }[];
  /** Outputs that are a copy of a value made elsewhere (an input, a constant, another output), done last. */
  readonly copies: readonly { readonly from: number; readonly output: number }[];
  readonly arenaBytes: number;
  /** Sum of the sizes that are alive at the worst moment: no arena can be smaller. */
  readonly lowerBoundBytes: number;
  /** Draws a run reserves. */
  readonly draws: number;
  readonly nodeCount: number;
}

const alignment = 64;
const aligned = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** First and last kernel that touches each value; outputs of kernels begin where they are written. */
export function lifetimes(kernels: readonly Kernel[], copies: Plan["copies"]): Map<number, [number, number]> {
  const spans = new Map<number, [number, number]>();
  const touch = (value: number, at: number) => {
    const span = spans.get(value);
    if (span) span[1] = at;
    else spans.set(value, [at, at]);
  };
  kernels.forEach((kernel, at) => {
    touch(kernel.output, at);
    for (const input of kernelInputs(kernel)) if (typeof input.source === "number") touch(input.source, at);
  });
  for (const { from } of copies) touch(from, kernels.length);
  return spans;
}

/** Memory from `start` to `end` that is a value's own from one kernel to another. */
export interface Taken {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** Takes the lowest gap of so many bytes that is free from one kernel to another, and says where it starts. `taken` is in order of start, and stays so. */
export function takeGap(taken: Taken[], bytes: number, from: number, to: number): number {
  let start = 0;
  for (const other of taken) {
    if (other.from > to || from > other.to) continue;
    if (start + bytes <= other.start) break;
    start = Math.max(start, other.end);
  }
  let [low, high] = [0, taken.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (taken[middle].start <= start) low = middle + 1;
    else high = middle;
  }
  taken.splice(low, 0, { start, end: start + bytes, from, to });
  return start;
}

/** A value's place stays its own for so many kernels after its last reader, if the arena grows by no more than a tenth for it. */
const lingering = [8, 4, 2, 0];
/** The smallest values keep theirs for good: so large a part of the lower bound is for them. */
const keptShare = 0.02;

/**
 * Gives each value of the arena an offset: values alive together never overlap; largest first, each at the lowest gap. Where memory allows,
 * a place isn't used again at once, so that a backend may run neighbouring kernels together, block by block.
 */
export function layOutArena(
  values: Value[],
  kernels: readonly Kernel[],
  copies: Plan["copies"],
): { arenaBytes: number; lowerBoundBytes: number } {
  const spans = lifetimes(kernels, copies);
  const inArena = values
    .map((value, index) => ({ value, index }))
    .filter(({ value, index }) => value.place.kind === "arena" && spans.has(index));
  const bytes = (value: Value) => aligned(Math.max(1, valueBytes(value)));
  const order = [...inArena].sort((a, b) => bytes(b.value) - bytes(a.value) || a.index - b.index);
  const kept = new Set<number>();
  const layOut = (linger: number): number => {
    const taken: Taken[] = [];
    let total = 0;
    for (const { value, index } of order) {
      const [from, last] = spans.get(index)!;
      const start = takeGap(taken, bytes(value), from, kept.has(index) ? kernels.length : last + linger);
      value.place = { kind: "arena", offset: start };
      total = Math.max(total, start + bytes(value));
    }
    return total;
  };
  const change = new Array<number>(kernels.length + 2).fill(0);
  for (const { value, index } of inArena) {
    const [first, last] = spans.get(index)!;
    change[first] += bytes(value);
    change[last + 1] -= bytes(value);
  }
  let [alive, lowerBoundBytes] = [0, 0];
  for (const difference of change) {
    alive += difference;
    lowerBoundBytes = Math.max(lowerBoundBytes, alive);
  }
  let room = keptShare * lowerBoundBytes;
  for (const { value, index } of [...order].reverse()) {
    room -= bytes(value);
    if (room < 0) break;
    kept.add(index);
  }
  let arenaBytes = 0;
  for (const linger of lingering) {
    arenaBytes = layOut(linger);
    if (arenaBytes <= 1.1 * lowerBoundBytes) break;
  }
  return { arenaBytes, lowerBoundBytes };
}
