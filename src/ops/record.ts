// What an op is, as data: one record with its name, shape and dtype rules, meaning and gradient, by the kind of what it computes.
import type { Place } from "../../kernels/assemble.ts";
import type { Expr } from "../../kernels/expr.ts";
import type { Combine, KernelBase, KernelInput } from "../../kernels/kernel.ts";
import type { SpecialKernel, SpecialKind } from "../../kernels/kinds.ts";
import type { View } from "../../kernels/view.ts";
import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Attributes, Node } from "../graph/node.ts";
import type { Terms } from "./terms.ts";

/** What a gradient rule is given: the op's node, the gradient of its output, and what went in. */
export interface VjpContext {
  readonly inputs: readonly Node[];
  readonly output: Node;
  readonly grad: Node;
  readonly attributes: Attributes;
}

/** A gradient that lands on some of the input's points, and says nothing of the others. */
export interface Landing extends Place {
  readonly piece: Node;
}

/** Gradients of the inputs, null where none flows; or "none": the op has no gradient at all. */
export type Vjp = "none" | ((context: VjpContext) => readonly (Node | Landing | null)[]);

/** Where tests try an elementwise op: a range for random points, [-4, 4] unless given, and single points beside the usual ones, or instead of them. */
export interface Samples {
  readonly range?: readonly [number, number];
  readonly beside?: readonly number[];
  readonly edges?: readonly number[];
}

/** What all records have. */
export interface RecordBase {
  readonly name: string;
  readonly vjp: Vjp;
  readonly dtype: (inputs: readonly DType[], attributes: Attributes, where: string) => DType;
}

/** An op that no expression writes down. */
interface VersionedBase extends RecordBase {
  /** Of its meaning, in the graph's hash: it rises with every change of the bits that it gives. A test pins each to the digest of the op's cases. */
  readonly version: number;
}

/**
 * What an op becomes on a batch, for `vmap`: the attributes of the same op where every operand has a new first axis of `size`, and so has the result.
 * "each": no such attributes exist, one node per example. "joined": operands and result have a first axis of matrices, and examples' matrices become more of them.
 * "none": refused by name.
 */
export type Batch = "each" | "joined" | "none" | ((attributes: Attributes, size: number) => Attributes);

/** A record whose op takes operands or draws, and so may be batched. */
interface BatchedBase extends VersionedBase {
  readonly batch: Batch;
}

/** One output element from the elements at the same place; operands broadcast before they come here. */
export interface ElementwiseRecord extends RecordBase {
  readonly kind: "elementwise";
  readonly inputs: number;
  readonly value: (inputs: readonly Expr[], terms: Terms, attributes: Attributes) => Expr;
  readonly samples?: Samples;
}

/** Elements keep their values and change their places: a view, or null where a copy must be made first. */
export interface MovementRecord extends BatchedBase {
  readonly kind: "movement";
  readonly shape: (input: Shape, attributes: Attributes, where: string) => Shape;
  readonly view: (view: View, terms: Terms, shape: Shape, attributes: Attributes) => View | null;
  /** The operand's axes are the result's last ones, whatever is before them: what stretches. */
  readonly alignsLast?: boolean;
  /** Fills what a bounded view leaves out; movement that adds no points has none. */
  readonly fill?: (attributes: Attributes) => number;
}

export interface ReduceRecord extends BatchedBase {
  readonly kind: "reduce";
  readonly combine: Combine;
}

/** A product of matrices; reads by an index that is data; words of the stream, one an element. */
interface PlainRecord extends BatchedBase {
  readonly kind: "matmul" | "gather" | "words";
}

/** What makes a kernel one of its kind, beside what all have. */
type Own<K extends KernelBase> = K extends KernelBase ? Omit<K, keyof KernelBase> : never;

/** A kernel of a kind of its own over the operands, which are in memory; an operand without elements may be left out. */
export interface SpecialRecord<K extends SpecialKind = SpecialKind> extends BatchedBase {
  readonly kind: "special";
  readonly of: K;
  /** What is read, of the operands' views, and what makes the kernel; `firstDraw` is where its draws begin, counted from the base. */
  readonly kernel: (
    node: Node,
    operands: readonly KernelInput[],
    firstDraw: number,
  ) => Own<SpecialKernel<K>> & { readonly inputs?: readonly KernelInput[] };
  /** How many words of the stream it takes. */
  readonly draws?: (size: number) => number;
}

/** Values that come from no tensor: `full` of one number, `coordinate` along an axis, or a leaf bound from outside. */
export interface CreationRecord extends VersionedBase {
  readonly kind: "full" | "coordinate" | "leaf";
}

/** What the gradient rule of a loop is given: those of its outputs that have a gradient, with it. */
export interface LoopVjpContext {
  readonly outputs: readonly { readonly node: Node; readonly grad: Node }[];
  /** Whether somebody wants the gradient of an input. */
  readonly wanted: readonly boolean[];
  /** Gradients by `wanted` of nodes whose gradients are given, in the order in which they add up; undefined where none flows. */
  differentiate(
    outputs: readonly { readonly node: Node; readonly grad: Node }[],
    wanted: readonly Node[],
  ): (Node | undefined)[];
}

/** One output of a loop over positions, whose body is a graph of its own: those of one body are computed, and differentiated, together. */
export interface LoopRecord extends Omit<VersionedBase, "vjp"> {
  readonly kind: "repeat";
  readonly vjp: (context: LoopVjpContext) => readonly (Node | null)[];
}

export type OpRecord =
  | ElementwiseRecord
  | MovementRecord
  | ReduceRecord
  | PlainRecord
  | { [K in SpecialKind]: SpecialRecord<K> }[SpecialKind]
  | CreationRecord
  | LoopRecord;
