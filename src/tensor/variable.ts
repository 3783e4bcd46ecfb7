// Variable: a cell that holds a tensor and can be given another. Tensors made from it stand on the version it held then. Inside a compiled
// function that lists it as state it is an input and, once assigned, an output that takes the input's place in memory.

import type { Backend } from "../backend/contract.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import { DTypeError, ShapeError, TraceError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { currentTrace } from "../graph/scope.ts";
import * as creation from "../ops/creation.ts";
import { bind, type Evaluation, evaluate, overwrite, type Stored } from "./engine.ts";
import { Tensor } from "./tensor.ts";

/** Whatever owns variables: modules, optimizers, or a cell itself. Names are unique and stable: `parameter/0.weight`, `buffer/…`, `optimizer/…`. */
export interface Stateful {
  namedVariables(): Iterable<readonly [string, Variable]>;
  /** What else of it shapes a trace (a training flag, say): another key, another trace. */
  traceKey?(): string;
  /** All that names, variables and key depend on, one after another: while the pieces are the same ones, so are the others. What owns much has it, since it is asked at each execution. */
  pieces?(): readonly unknown[];
}

/** A cell with versions. It is a tensor too: ops read the version it holds when they are called. */
export class Variable extends Tensor {
  readonly #shape: Shape;
  readonly #dtype: DType;
  /** The version that isn't in memory of its own yet. */
  #pending: Node | null;
  readonly #memory: { stored: Stored | null } = { stored: null };
  /** The leaf that stands for the stored version, made when first asked for. */
  #leaf: Node | null = null;

  /** `initial`: its first value; computed when it is first needed. */
  constructor(initial: Tensor) {
    super(initial.node);
    this.#pending = initial.node;
    this.#shape = initial.shape;
    this.#dtype = initial.dtype;
    abandoned.register(this, this.#memory);
  }

  override get node(): Node {
    const scope = currentTrace();
    if (scope) {
      const cell = scope.cells.get(this);
      if (cell) return cell.current;
      throw new TraceError({
        where: "compile",
        problem: "a variable is used that isn't in the compiled function's state",
        got: `${this.#dtype}${formatShape(this.#shape)}`,
        hint: "list its module or optimizer: compile(fn, { state: [model, optimizer] })",
      });
    }
    return this.#pending ?? this.#standing();
  }

  #standing(): Node {
    if (!this.#leaf) {
      this.#leaf = creation.variable(this.#shape, this.#dtype);
      bind(this.#leaf, { ...this.#memory.stored!, keeps: this }, { owned: false });
    }
    return this.#leaf;
  }

  override get shape(): Shape {
    return this.#shape;
  }

  override get dtype(): DType {
    return this.#dtype;
  }

  override get rank(): number {
    return this.#shape.length;
  }

  override get size(): number {
    return sizeOf(this.#shape);
  }

  /** Gives it another value of the same shape and dtype. In a trace the value is a state output of each run. Throws ShapeError, DTypeError. */
  assign(value: Tensor): void {
    this.#check(value.shape, value.dtype);
    const scope = currentTrace();
    if (!scope) {
      this.#settle(value.node);
      return;
    }
    void this.node;
    scope.cells.get(this)!.current = value.node;
  }

  /** Gives it elements from the host, row-major: a copy is taken. Throws ShapeError when their number isn't its size. */
  load(data: TypedArray): void {
    this.#settle(creation.constant(data.slice(), this.#shape, this.#dtype));
  }

  #settle(node: Node): void {
    this.#retire();
    this.#pending = node;
  }

  /** Lets go of the stored version: its memory goes with the leaf that stands for it, or now. */
  #retire(): void {
    const { stored } = this.#memory;
    if (stored && this.#leaf) bind(this.#leaf, stored, { owned: true });
    else if (stored) stored.backend.free(stored.buffer);
    this.#memory.stored = null;
    this.#leaf = null;
  }

  #check(shape: Shape, dtype: DType): void {
    const expected = `${this.#dtype}${formatShape(this.#shape)}`;
    const got = `${dtype}${formatShape(shape)}`;
    if (dtype !== this.#dtype)
      throw new DTypeError({ where: "assign", problem: "another dtype than the variable's", got, expected });
    if (!sameShape(shape, this.#shape))
      throw new ShapeError({ where: "assign", problem: "another shape than the variable's", got, expected });
  }

  /** What must be computed before it has memory on the backend: null when it has. For the compiler. */
  unsettled(backend: Backend): Node | null {
    return !this.#pending && this.#memory.stored?.backend === backend ? null : (this.#pending ?? this.#standing());
  }

  /** Takes memory that holds the value of `node`, unless it has been given another value meanwhile. For the compiler. */
  settle(node: Node, stored: Stored): void {
    if (node !== (this.#pending ?? this.#leaf)) {
      stored.backend.free(stored.buffer);
      return;
    }
    this.#retire();
    this.#pending = null;
    this.#memory.stored = stored;
  }

  /** The memory of its version. For the compiler, after `settleVariables`. */
  get stored(): Stored {
    return this.#memory.stored!;
  }

  /** Says that its memory holds the next version now: for the compiler. */
  overwritten(): void {
    if (this.#leaf) overwrite(this.#leaf);
    this.#leaf = null;
  }

  override dispose(): void {}
}

const abandoned = new FinalizationRegistry<{ stored: Stored | null }>(({ stored }) =>
  stored?.backend.free(stored.buffer),
);

/** Gives variables memory of their own on the backend, computing what is pending as one graph whose outputs carry their names. Call under `exclusive`. null when there was nothing to do. */
export async function settleVariables(
  backend: Backend,
  named: Iterable<readonly [string, Variable]>,
): Promise<Evaluation | null> {
  const missing = [...named].flatMap(([name, variable]) => {
    const node = variable.unsettled(backend);
    return node ? [{ name, variable, node }] : [];
  });
  if (missing.length === 0) return null;
  const evaluation = await evaluate(backend, missing);
  for (const [i, { variable, node }] of missing.entries()) variable.settle(node, evaluation.stored[i]);
  return evaluation;
}

/** A variable that training changes: what an optimizer is given. */
export class Parameter extends Variable {
  /** Its path in the module whose `parameters()` was called last: what an optimizer calls it. */
  label?: string;
  /** Whether an optimizer that is made over it trains it; one with `false` keeps its value. */
  requiresGrad = true;
}
