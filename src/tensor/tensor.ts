// Tensor: a lazy, immutable handle on a node of the op graph. Making one computes nothing; reading one computes what it needs, once. Its methods for ops are
// attached by the families of them that are loaded.
/// <reference lib="esnext.disposable" preserve="true" />
import { checkNone } from "../core/arguments.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import { DTypeError, inMessages, refuse, ShapeError, showValue } from "../core/errors.ts";
import { allTaken } from "../core/promise.ts";
import { normalizeAxis, type Shape, sizeOf, stridesOf, typeText } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { refuseInTrace } from "../graph/scope.ts";
import { constant } from "../ops/creation.ts";
import { readNode, realizeNode } from "../runtime/read.ts";
import { release } from "../runtime/values.ts";
import { formatArray } from "./format.ts";

/** Nested arrays of numbers (booleans for bool), or one for a scalar: what `array()` gives. */
export type NestedArray = number | boolean | NestedArray[];

/** Up to this many elements a read tensor keeps a host copy, so that printing it shows values. */
const keptSize = 1000;

const oneRead = "it reads the whole tensor: take a part first, as in t.slice([0])";

const hostCopies = new WeakMap<Node, TypedArray>();

function nested(data: TypedArray, shape: Shape, dtype: DType): NestedArray {
  let at = 0;
  const nest = (axis: number): NestedArray => {
    if (axis < shape.length) return Array.from({ length: shape[axis] }, () => nest(axis + 1));
    const value = data[at++];
    return dtype === "bool" ? value === 1 : value;
  };
  return nest(0);
}

function refuseMaking(got: unknown): never {
  const problem = "a tensor isn't made of values by new";
  refuse(DTypeError, "Tensor", problem, showValue(got), undefined, "tensor(values) makes one");
}

const handle = Symbol("tensor: send await t.data()");

/** A lazy n-dimensional array. Every op of the library is a method too: `x.exp()`, `x.add(1)`, `x.sum({ axis: 0 })`. */
export class Tensor {
  readonly #node: Node;
  /** A symbol can't be cloned, so structuredClone and postMessage throw, saying this, where they would have given {}. */
  protected readonly handle = handle;

  constructor(node: Node) {
    if (!(node instanceof Node)) refuseMaking(node);
    this.#node = node;
  }

  /** The node it stands for. */
  get node(): Node {
    return this.#node;
  }

  /** Extents, outermost first. */
  get shape(): Shape {
    return this.node.shape;
  }

  /** Its elements' type: float32, int32, uint32 or bool. */
  get dtype(): DType {
    return this.node.dtype;
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Computes it if need be, and gives its elements, row-major: a copy. Throws TraceError while tracing. */
  data(): Promise<TypedArray> {
    return this.#read("data", arguments, (data) => data);
  }

  /** What is made of its elements by a method that takes nothing. */
  #read<T>(where: string, given: ArrayLike<unknown>, made: (data: TypedArray) => T): Promise<T> {
    checkNone(where, given, oneRead);
    refuseInTrace(where);
    const { node } = this;
    const read = async () => {
      const data = await readNode(node);
      if (data.length <= keptSize) hostCopies.set(node, data.slice());
      return made(data);
    };
    return allTaken(read());
  }

  /** Its elements as nested arrays; a number for a scalar; booleans for bool. Throws TraceError while tracing. */
  array(): Promise<NestedArray> {
    const { shape, dtype } = this;
    return this.#read("array", arguments, (data) => nested(data, shape, dtype));
  }

  /** Its only element as a number. Throws ShapeError unless it has exactly one. */
  item(): Promise<number> {
    checkNone("item", arguments, oneRead);
    if (this.size !== 1)
      refuse(ShapeError, "item", "not one element", this, "a tensor of one element", "use array() or data()");
    return this.#read("item", [], (data) => data[0]);
  }

  /** Where it isn't 0, or is true, row-major: an int32 tensor [count] for each axis, so that `x.at(...(await mask.nonzero()))` reads x where a mask holds (PyTorch's as_tuple form). Throws ShapeError on a scalar, TraceError while tracing: the count is data. */
  nonzero(): Promise<Tensor[]> {
    const { shape } = this;
    normalizeAxis("nonzero", 0, shape.length);
    const strides = stridesOf(shape);
    return this.#read("nonzero", arguments, (data) => {
      const found = [...data.keys()].filter((i) => data[i] !== 0);
      return shape.map((extent, axis) => {
        const places = Int32Array.from(found, (i) => Math.floor(i / strides[axis]) % extent);
        return new Tensor(constant(places, [places.length], "int32"));
      });
    });
  }

  /** Computes it now and keeps the value; later ops start from it. */
  realize(): Promise<this> {
    checkNone("realize", arguments, oneRead);
    refuseInTrace("realize");
    return allTaken(realizeNode(this.node).then(() => this));
  }

  /** Its values as NumPy prints them. */
  format(): Promise<string> {
    const { shape, dtype } = this;
    return this.#read("format", arguments, (data) => formatArray(data, shape, dtype));
  }

  /** As NumPy prints it where the values are at hand (a constant, or read before), else its dtype and shape. */
  toString(): string {
    checkNone("toString", arguments);
    const { node } = this;
    const data = node.data ?? hostCopies.get(node);
    return data
      ? formatArray(data, node.shape, node.dtype)
      : `tensor ${typeText(node)}, not read yet: await t.format()`;
  }

  get [inMessages](): string {
    return `tensor ${typeText(this)}`;
  }

  /** Throws DTypeError: a tensor isn't a number or a text, since its values may not be computed yet. */
  [Symbol.toPrimitive](hint: string): never {
    const texts = hint === "string";
    throw new DTypeError({
      where: "Tensor",
      problem: texts ? "a tensor used as a text" : "a tensor used as a number or in a condition",
      got: typeText(this),
      expected: "its value",
      hint: texts
        ? "await t.format() is its values as text, t.toString() what is known of it already"
        : "await t.item() is a number to compare or compute with; between tensors write t.greater(0), t.add(1)",
    });
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Gives its memory back now rather than when nothing refers to it any more. */
  dispose(): void {
    checkNone("dispose", arguments);
    release(this.node);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
