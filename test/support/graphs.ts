// Graphs for tests: made in a trace from a plain function, run whole on a backend, compared by bits.
import { expect } from "vitest";
import type { Backend } from "../../src/compile/contract.ts";
import type { FuseOptions } from "../../src/compile/fuse.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import { canonicalBytes } from "../../src/core/canonical.ts";
import { type DType, makeArray, type TypedArray } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { input } from "../../src/ops/creation.ts";

/** A tensor on the host. */
export interface Data {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What a traced test function gives: outputs by name, and which inputs they are the next version of. */
export interface Built {
  readonly outputs: Record<string, Node>;
  readonly watched?: Record<string, Node>;
  /** Pairs of an input's and an output's name. */
  readonly state?: readonly (readonly [string, string])[];
}

export interface GraphOptions {
  readonly seed?: bigint;
  readonly base?: number;
  readonly captured?: ReadonlyMap<Node, TypedArray>;
}

/** Traces `build` on inputs of the given shapes. */
export function traceGraph<I extends Record<string, { dtype: DType; shape: Shape }>>(
  inputs: I,
  build: (inputs: { [K in keyof I]: Node }) => Built,
  { seed = 1234n, base = 0, captured }: GraphOptions = {},
): Graph {
  const named = (nodes: Record<string, Node> = {}) => Object.entries(nodes).map(([name, node]) => ({ name, node }));
  const { scope, result } = withTrace(() => {
    const nodes: Record<string, Node> = {};
    for (const [name, { dtype, shape }] of Object.entries(inputs)) nodes[name] = input(shape, dtype);
    return { nodes, built: build(nodes as { [K in keyof I]: Node }) };
  });
  const [ports, outputs] = [named(result.nodes), named(result.built.outputs)];
  const at = (list: readonly { name: string }[], name: string) => list.findIndex((port) => port.name === name);
  return {
    seed,
    inputs: ports,
    outputs,
    watched: named(result.built.watched),
    state: (result.built.state ?? []).map(([from, to]) => ({ input: at(ports, from), output: at(outputs, to) })),
    draws: scope.draws,
    base,
    captured,
  };
}

/** Runs a graph once: the elements of its outputs, then of its watched roots. State outputs share their input's buffer, as a step does. */
export async function runGraph(
  backend: Backend,
  graph: Graph,
  inputs: readonly TypedArray[],
  { base = 0, ...options }: FuseOptions & { base?: number } = {},
): Promise<TypedArray[]> {
  return runPlan(backend, lower(graph, options), inputs, base);
}

/** Runs a plan once, as `runGraph`. */
export async function runPlan(
  backend: Backend,
  plan: Plan,
  inputs: readonly TypedArray[],
  base = 0,
  times = 1,
): Promise<TypedArray[]> {
  const executable = await backend.load(plan);
  const bound = plan.inputs.map(({ dtype, shape }, i) => {
    const buffer = backend.allocate(dtype, sizeOf(shape));
    backend.write(buffer, inputs[i]);
    return buffer;
  });
  const outputs = plan.outputs.map(({ dtype, shape }, i) => {
    const state = plan.state.find(({ output }) => output === i);
    return state ? bound[state.input] : backend.allocate(dtype, sizeOf(shape));
  });
  for (let time = 0; time < times; time++) {
    await executable.run({ inputs: bound, outputs, seed: plan.graph.seed, base: base + time * plan.draws });
  }
  const results = await Promise.all(outputs.map((buffer) => backend.read(buffer)));
  for (const buffer of new Set([...bound, ...outputs])) backend.free(buffer);
  executable.dispose();
  return results;
}

/** Numbers as a typed array of the dtype. */
export function arrayOf(dtype: DType, values: readonly number[]): TypedArray {
  const out = makeArray(dtype, values.length);
  out.set(values);
  return out;
}

/** Integers in [0, 2³²) for test data, from a fixed generator of its own (xorshift32). */
export function testWords(seed = 1): () => number {
  let x = (seed * 2654435761) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** Test data over [low, high): floats of mixed size, integers, or bools. */
export function testData(shape: Shape, dtype: DType = "float32", [low, high] = [-4, 4], seed = 1): Data {
  const next = testWords(seed + 7919 * sizeOf(shape));
  const data = makeArray(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const unit = next() / 2 ** 32;
    data[i] = dtype === "bool" ? next() & 1 : low + unit * (high - low);
  }
  return { dtype, shape, data };
}

/** Floats whose sums depend on their order: signs and sizes mixed over 2⁻²⁰ … 2²⁰. */
export function roughData(shape: Shape, seed = 1): Data {
  const next = testWords(seed + 31 * sizeOf(shape));
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    data[i] = ((next() / 2 ** 32) * 2 - 1) * 2 ** ((next() % 41) - 20);
  }
  return { dtype: "float32", shape, data };
}

/** Fails at the first element whose bits differ (every NaN is one NaN), naming it and both bit patterns. */
export function expectSameBits(actual: TypedArray, expected: TypedArray, label: string): void {
  if (actual.length !== expected.length)
    expect.fail(`${label}: ${actual.length} elements, expected ${expected.length}`);
  const [a, b] = [canonicalBytes(actual), canonicalBytes(expected)];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const at = Math.floor(i / (actual.BYTES_PER_ELEMENT || 1));
    const hex = (bytes: Uint8Array) =>
      [...bytes.subarray(at * actual.BYTES_PER_ELEMENT, (at + 1) * actual.BYTES_PER_ELEMENT)]
        .reverse()
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
    expect.fail(`${label}: element ${at} is ${actual[at]} (${hex(a)}), expected ${expected[at]} (${hex(b)})`);
  }
}
