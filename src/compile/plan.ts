// A plan: a graph as kernels in an order that computes it, over numbered values. Pure data: a schedule says how it runs and where values are kept.

import { elementBytes, type Repeat, type Stored, sourcesOf } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { DType, NarrowFormat, TypedArray } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";
import type { Shape } from "../core/shape.ts";
import type { Graph } from "../graph/graph.ts";

/**
 * A part of another value: its elements from `start` on, and at position t of a loop `step` · ((t + `shift`) mod `slots`) further on; all of t + `shift`
 * where there are no `slots`. No two parts that kernels of one position touch overlap.
 */
export interface Part {
  readonly kind: "part";
  readonly of: number;
  readonly start: number;
  readonly step: number;
  readonly shift: number;
  readonly slots?: number;
  readonly repeat?: Repeat;
}

/** The element of the whole that a part begins with, at position t. */
export function partStart({ start, step, shift, slots = Infinity }: Part, position: number): number {
  return start + step * ((position + shift) % slots);
}

/** Where a value lives: bound by the caller of a run, part of the plan, between kernels only, or in another value. */
export type Place =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "constant"; readonly data: TypedArray }
  | { readonly kind: "temporary" }
  | Part;

/** One buffer of the plan. */
export interface Value extends Stored {
  /** Only of temporary values: what comes from or goes to the caller is kept as its dtype. */
  storage?: NarrowFormat;
  readonly shape: Shape;
  readonly size: number;
  place: Place;
}

/** Bytes that a value takes. */
export const valueBytes = (value: Value): number => value.size * elementBytes(value);

/** The value whose memory a value has. */
export function homeOf(values: readonly Value[], value: number): number {
  let home = value;
  for (let { place } = values[home]; place.kind === "part"; { place } = values[home]) home = place.of;
  return home;
}

/** Tells temporary values that have their memory to themselves: no other value is a part of them. */
export function ownTemporaries(values: readonly Value[]): (value: number) => boolean {
  const wholes = new Set(values.flatMap(({ place }) => (place.kind === "part" ? [place.of] : [])));
  return (value) => values[value].place.kind === "temporary" && !wholes.has(value);
}

/** The places of the kernels that read each value; `of`: whose memory counts as which value's. */
export function readersOf(kernels: readonly Kernel[], of = (value: number): number => value): Map<number, Set<number>> {
  const readers = new Map<number, Set<number>>();
  kernels.forEach((kernel, at) => {
    for (const value of sourcesOf(kernel).map(of)) remembered(readers, value, () => new Set()).add(at);
  });
  return readers;
}

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
  /** Draws a run reserves. */
  readonly draws: number;
  readonly nodeCount: number;
}
