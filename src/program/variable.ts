// Variable: a cell that holds a tensor and can be given another. Tensors made from it stand on the version it held then. Inside a compiled
// function that lists it as state it is an input and, once assigned, an output that takes the input's place in memory.

import { checkArguments, checkNone, kind, signature } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { type DType, holds, type TypedArray } from "../core/dtype.ts";
import { DTypeError, refuse, ShapeError, TraceError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import { type Shape, sameShape, typeText } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { currentTrace, drawingFrom, drawPosition, refuseInBody, refuseInTrace } from "../graph/scope.ts";
import * as creation from "../ops/creation.ts";
import { stopGradient } from "../ops/elementwise.ts";
import { tensor as tensorKind } from "../tensor/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Lineage } from "./lineage.ts";

/** Whatever owns variables: modules, optimizers, or a cell itself. Names are unique and stable: `parameter/0.weight`, `buffer/…`, `optimizer/…`. */
export interface Stateful {
  namedVariables(): Iterable<readonly [string, Variable]>;
  /** What else of it shapes a trace (a training flag, say): another key, another trace. */
  traceKey?(): string;
  /** All that names, variables and key depend on, one after another: while the pieces are the same ones, so are the others. What owns much has it, since it is asked at each execution. */
  pieces?(): readonly unknown[];
}

const variableCall = signature("Variable", { initial: tensorKind });
const assignCall = signature("assign", { value: tensorKind });
const loadCall = signature("load", {
  data: kind("a typed array", (value) => ArrayBuffer.isView(value) && !(value instanceof DataView)),
});

/** Throws ShapeError or DTypeError for a value that the variable couldn't hold. */
export function checkFits(where: string, variable: Variable, value: Tensor): void {
  const [got, expected] = [value, variable].map(typeText);
  if (value.dtype !== variable.dtype) refuse(DTypeError, where, "another dtype than the variable's", got, expected);
  if (!sameShape(value.shape, variable.shape))
    refuse(ShapeError, where, "another shape than the variable's", got, expected);
}

/** What stands for a value once a variable holds it: a node that is the variable's alone, where gradients end. */
function versionOf(value: Node, identity: object): Node {
  if (value.dtype !== "float32") return value;
  const version = stopGradient(value);
  version.standsFor = identity;
  return version;
}

let substitutes: ReadonlyMap<Variable, Tensor> | undefined;

/** Runs `body` with tensors in the place of variables: an op that reads one reads its tensor, and gradients flow there. Nothing is assigned. The tensors are of their variables' shapes and dtypes. */
export function substituting<T>(values: ReadonlyMap<Variable, Tensor>, body: () => T): T {
  const outer = substitutes;
  const nodes = [...values].map(([variable, value]) => [variable, new Tensor(value.node)] as const);
  substitutes = new Map([...(outer ?? []), ...nodes]);
  try {
    return atOnce("the body of a substitution", body());
  } finally {
    substitutes = outer;
  }
}

/** What variables held before they were first assigned. */
let kept: Map<Variable, Tensor> | undefined;

/** Runs `body`, and puts what variables that it assigns held before into `before`. */
function keeping<T>(before: Map<Variable, Tensor>, body: () => T): T {
  const outer = kept;
  kept = before;
  try {
    return body();
  } finally {
    kept = outer;
    for (const [variable, value] of before) if (outer && !outer.has(variable)) outer.set(variable, value);
  }
}

/** Runs `body` as if it hadn't run, but for what it gives and the random numbers that it drew: variables that it assigned have their values again, and what it watched isn't. */
export function rehearsing<T>(body: () => T): T {
  const [own, watched] = [new Map<Variable, Tensor>(), currentTrace()?.watched];
  const before = [...(watched ?? [])];
  try {
    return keeping(own, body);
  } finally {
    for (const [variable, value] of own) variable.assign(value);
    watched?.clear();
    for (const [name, node] of before) watched!.set(name, node);
  }
}

/** Runs `body`; with its result a function that rehearses it as it ran: with the same random numbers, and variables that it assigns as they were. */
export function repeatable<T>(body: () => T): { result: T; again: () => T } {
  const [position, before] = [drawPosition(), new Map<Variable, Tensor>()];
  const result = keeping(before, body);
  const repeat = () => {
    for (const [variable, value] of before) variable.assign(value);
    return drawingFrom(position, body);
  };
  return { result, again: () => rehearsing(repeat) };
}

/** A cell with versions. It is a tensor too: ops read the version it holds when they are called. */
export class Variable extends Tensor {
  readonly #shape: Shape;
  readonly #dtype: DType;
  #lineage: Lineage;
  /** What nodes that stand for its versions have in common: not itself, which they would keep. */
  readonly identity: object = {};

  /** `initial`: its first value; computed when it is first needed. */
  constructor(initial: Tensor) {
    checkArguments(variableCall, arguments);
    super(initial.node);
    this.#shape = initial.shape;
    this.#dtype = initial.dtype;
    // A copy of a variable isn't that variable.
    const version = initial instanceof Variable ? versionOf(initial.node, this.identity) : undefined;
    this.#lineage = new Lineage(initial.node, version);
  }

  override get node(): Node {
    const substitute = substitutes?.get(this);
    if (substitute) return substitute.node;
    const node = this.#standing();
    node.standsFor ??= this.identity;
    return node;
  }

  #standing(): Node {
    const scope = currentTrace();
    if (scope) {
      const cell = scope.cells.get(this);
      if (cell) return cell.version;
      const problem = "a variable is used that isn't in the compiled function's state";
      const hint = "list what has it in a property, list, record or Map: { state: [model, optimizer] }";
      refuse(TraceError, "compile", problem, typeText(this), undefined, hint);
    }
    return this.#lineage.node;
  }

  override get shape(): Shape {
    return this.#shape;
  }

  override get dtype(): DType {
    return this.#dtype;
  }

  /**
   * Gives it another value of the same shape and dtype. In a trace the value is a state output of each run. Gradients end at the variable: they don't flow
   * on to what the value was made from. Throws ShapeError, DTypeError.
   */
  assign(value: Tensor): void {
    checkArguments(assignCall, arguments);
    refuseInBody("assign");
    checkFits("assign", this, value);
    if (substitutes?.has(this)) {
      const hint = "what a model assigns in its forward pass, buffers, can't be substituted";
      refuse(TraceError, "assign", "a tensor stands in the variable's place", typeText(this), undefined, hint);
    }
    const { node } = value;
    // Itself: the version stays.
    if (node === this.node) return;
    if (kept && !kept.has(this)) kept.set(this, new Tensor(this.node));
    const scope = currentTrace();
    if (scope) Object.assign(scope.cells.get(this)!, { current: node, version: versionOf(node, this.identity) });
    else this.#begin(node, versionOf(node, this.identity));
  }

  /** Gives it elements from the host, row-major: a copy is taken. Throws ShapeError when their number isn't its size, DTypeError for those of another dtype and for bytes beyond bool, TraceError in a trace. */
  load(data: TypedArray): void {
    checkArguments(loadCall, arguments);
    refuseInTrace("load");
    const value = creation.constant(data.slice(), this.#shape, this.#dtype);
    if (!holds(this.#dtype, data)) {
      const odd = data.find((byte) => byte > 1);
      refuse(DTypeError, "tensor", "an element that bool can't hold", odd, "0 or 1");
    }
    this.#begin(value);
  }

  #begin(first: Node, version?: Node): void {
    this.#lineage.retire();
    this.#lineage = new Lineage(first, version);
  }

  /** Where its versions are, now and until it is next assigned: what a call takes. For the compiler. */
  get lineage(): Lineage {
    return this.#lineage;
  }

  /** Does nothing: it keeps its memory for as long as anyone has it. */
  override dispose(): void {
    checkNone("dispose", arguments);
  }
}

/** The variables' values on the host, by name. */
export async function readVariables(named: Iterable<readonly [string, Variable]>): Promise<[string, HostArray][]> {
  const arrays: [string, HostArray][] = [];
  for (const [name, variable] of named) {
    const { shape, dtype } = variable;
    arrays.push([name, { data: await variable.data(), shape, dtype }]);
  }
  return arrays;
}

/** A variable that training changes: what an optimizer is given. */
export class Parameter extends Variable {
  /** Its path in the module whose `parameters()` was called last: what an optimizer calls it. */
  label?: string;
  /** Whether optimizers step it: with `false` it keeps its value. An optimizer that is made meanwhile hasn't got it at all. */
  requiresGrad = true;
}
