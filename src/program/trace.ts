// Tracing: a function is run once on leaves instead of values, and what it made becomes a closed graph.
import { callable, checkArguments, kind, signature, string } from "../core/arguments.ts";
import type { DType } from "../core/dtype.ts";
import { refuse, ShapeError, TraceError } from "../core/errors.ts";
import { isPromise, settled } from "../core/promise.ts";
import { checkShape, type Shape, typeText } from "../core/shape.ts";
import { compareUtf8 } from "../core/utf8.ts";
import type { Graph, GraphPort } from "../graph/graph.ts";
import { Node, reachable } from "../graph/node.ts";
import { currentTrace, refuseInBody, type TraceScope, withTrace } from "../graph/scope.ts";
import { atOneSite } from "../graph/site.ts";
import * as creation from "../ops/creation.ts";
import { tensor as tensorKind } from "../tensor/arguments.ts";
import { tensor } from "../tensor/creation.ts";
import { Tensor } from "../tensor/tensor.ts";
import { isHostArray, isWhole, mapTree } from "../tensor/tree.ts";
import { byPaths } from "./paths.ts";
import type { Stateful, Variable } from "./variable.ts";

/** A state variable of a traced function. */
export interface StateSlot {
  readonly name: string;
  readonly variable: Variable;
  /** Whether the function assigns it. */
  readonly written: boolean;
}

export interface TraceResult<R> {
  readonly graph: Graph;
  /** What the function returned, with its traced tensors. */
  readonly result: R;
  /** In the order of the graph's last inputs. */
  readonly state: readonly StateSlot[];
  readonly scalars: TraceScope["scalars"];
  readonly beforeExecution: TraceScope["beforeExecution"];
  /** Nodes from outside whose values the graph must hold. */
  readonly outside: readonly Node[];
}

/** All variables of the owners by name, in UTF-8 order; one that owners call by different names has the first of them, and what an optimizer keeps of a parameter is named by that. Throws TraceError when a name stands for two. */
export function listState(owners: readonly Stateful[]): [string, Variable][] {
  const byName = new Map<string, Variable>();
  const paths = new Map<Variable, string>();
  for (const owner of owners) {
    const named = byPaths(paths, () => [...owner.namedVariables()]);
    for (const [name, variable] of named) {
      const [, path] = /^parameter\/(.*)$/s.exec(name) ?? [];
      if (path !== undefined && !paths.has(variable)) paths.set(variable, path);
      if (byName.has(name) && byName.get(name) !== variable) {
        const hint = "wrap the modules in one, nn.moduleDict({ a, b }), and list it before its optimizers";
        refuse(TraceError, "compile", "two variables have one name", name, "a name of its own for each", hint);
      }
      byName.set(name, variable);
    }
  }
  const seen = new Set<Variable>();
  const isFirst = ([, variable]: [string, Variable]) => seen.size < seen.add(variable).size;
  return [...byName].sort(([a], [b]) => compareUtf8(a, b)).filter(isFirst);
}

/** A leaf for a value that a run gives back. */
export function resultLeaf(shape: Shape, dtype: DType): Node {
  return new Node({ op: "input", dtype, shape, attributes: { dtype }, unsited: true, standsFor: "result" });
}

const asAsync = (where: string, problem: string, hint: string) => () =>
  new TraceError({ where, problem, got: "a promise", expected: "a synchronous function", hint });

/** Runs the function in a trace: arguments, then scalars, then state are the graph's inputs; its results, then assigned state the outputs. */
export function traceFunction<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  args: readonly unknown[],
  variables: readonly (readonly [string, Variable])[],
  seed: bigint,
): TraceResult<R> {
  const inputs: GraphPort[] = [];
  const { scope, result } = withTrace((open) => {
    const leaves = mapTree(args, "", ({ path, value }) => {
      const shape = typeof value === "number" ? [] : checkShape("compile", value.shape);
      if (isHostArray(value) && !isWhole(value)) {
        const got = `${value.data.constructor.name}[${value.data.length}]`;
        refuse(ShapeError, "compile", `the host array at ${path} isn't of its type`, got, typeText(value));
      }
      const node = creation.input(shape, typeof value === "number" ? "float32" : value.dtype);
      inputs.push({ name: `argument/${path}`, node });
      return new Tensor(node);
    }) as unknown as A;
    atOneSite(() => {
      for (const [, variable] of variables) {
        const input = creation.input(variable.shape, variable.dtype);
        open.cells.set(variable, { input, current: input, version: input });
      }
    });
    const hint = "await values before the call and pass them as arguments";
    const refusal = asAsync("compile", "the compiled function is async", hint);
    // A variable among the results is what it holds at the end, which it says while the trace is open.
    return mapTree(settled(fn(...leaves), refusal), "", ({ value }) =>
      value instanceof Tensor ? new Tensor(value.node) : value,
    ) as R;
  });
  for (const { name, node } of scope.scalars) inputs.push({ name: `scalar/${name}`, node });

  const outputs: GraphPort[] = [];
  mapTree(result, "", ({ path, value }) => {
    if (value instanceof Tensor) outputs.push({ name: path || "result", node: value.node });
    return value;
  });
  const results = outputs.length;
  const slots = variables.map(([name, variable]) => {
    const { input, current } = scope.cells.get(variable)!;
    return { name, variable, input, current, written: current !== input };
  });
  const written = slots.filter((slot) => slot.written);
  for (const { name, current } of written) outputs.push({ name, node: current });
  const watched = [...scope.watched].map(([name, node]) => ({ name, node }));
  const roots = [...outputs, ...watched].map(({ node }) => node);
  // A gradient of what was drawn outside draws that again: there, where its stream's position is known.
  const isOutside = (node: Node) => node.id < scope.firstId || node.draws?.seed !== undefined;
  const reached = new Set(reachable(roots, isOutside));
  const state = slots.filter(({ written, input }) => written || reached.has(input));
  const place = new Map(state.map((slot, i) => [slot, inputs.length + i]));
  for (const { name, input } of state) inputs.push({ name, node: input });

  const graph: Graph = {
    seed,
    inputs,
    outputs,
    watched,
    state: written.map((slot, i) => ({ input: place.get(slot)!, output: results + i })),
    draws: scope.draws,
    base: 0,
  };
  const outside = [...reached].filter((node) => isOutside(node) && !node.data);
  const { scalars, beforeExecution } = scope;
  return { graph, result, state, scalars, beforeExecution, outside };
}

const scalarCall = signature("runtimeScalar", {
  name: string,
  provide: kind("a function that gives a number", callable.accepts, (_, value) =>
    typeof value === "number" ? `write () => ${value}, or read it where it changes` : undefined,
  ),
});
const executeCall = signature("onExecute", { callback: callable });
const watchCall = signature("watch", { name: string, value: tensorKind });

/** A host number that each call of the compiled function reads anew, when it is made, rounded once to float32: []. Outside a trace: its value now. Throws TraceError where `provide` gives no number. */
export function runtimeScalar(name: string, provide: () => number): Tensor {
  checkArguments(scalarCall, arguments);
  const scope = currentTrace();
  if (!scope) return tensor(provided(name, provide));
  const node = creation.input([], "float32");
  const taken = scope.scalars.filter((scalar) => scalar.name === name || scalar.name.startsWith(`${name}#`)).length;
  const own = taken ? `${name}#${taken + 1}` : name;
  scope.scalars.push({ name: own, node, provide: () => provided(own, provide) });
  return new Tensor(node);
}

function provided(name: string, provide: () => number): number {
  const refusal = (value: unknown) =>
    new TraceError({
      where: `runtimeScalar ${name}`,
      problem: "no number was provided",
      got: isPromise(value) ? "a promise" : typeof value,
      expected: "a number",
      hint: "the number is taken when the compiled function is called: await it before",
    });
  const value: unknown = provide();
  if (typeof settled(value, () => refusal(value)) !== "number") throw refusal(value);
  return value as number;
}

/**
 * Calls back when a call of the compiled function is made, before its scalars are read; outside a trace at once. A function that it returns takes back what it did: it is called where the call fails, and after a `peek`.
 * Throws TraceError where it is async.
 */
export function onExecute(callback: () => unknown): void {
  checkArguments(executeCall, arguments);
  const scope = currentTrace();
  const hint = "what a call needs is taken when it is made: await before";
  const refusal = asAsync("onExecute", "the callback is async", hint);
  const called = () => settled(callback(), refusal);
  if (scope) scope.beforeExecution.push(called);
  else called();
}

/** Has the open trace compute a tensor beside its results, for those who watch: it isn't in the graph's hash. Does nothing outside a trace. */
export function watch(name: string, value: Tensor): void {
  checkArguments(watchCall, arguments);
  refuseInBody("watch");
  currentTrace()?.watched.set(name, value.node);
}
