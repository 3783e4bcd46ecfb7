// Random programs for property tests: a list of numbers decides op after op over a pool of values, so that shrinking the list shrinks the
// program. A choice that an op refuses by its own check is skipped. And the law that each must keep.
import fc from "fast-check";
import { expect } from "vitest";
import { OutOfRange } from "../../kernels/range.ts";
import { gradients } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { dtypeOf, narrowFormats } from "../../src/core/dtype.ts";
import { type Shape, sameShape, sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { atOneSite } from "../../src/graph/site.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { roundTo } from "../../src/ops/precision.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { checkMemory } from "./arena.ts";
import { type Built, expectSameBits, roughData, runPlan, testData, traceGraph } from "./graphs.ts";
import { favourites, grow, growers } from "./growers.ts";
import { any, attempt, one } from "./pool.ts";

/** A traced program and data for its inputs. */
export interface Program {
  readonly graph: Graph;
  readonly inputs: readonly TypedArray[];
}

/** Numbers that decide, one after another; when they run out, zeros. */
export function tape(choices: readonly number[]): { pick(below: number): number; readonly done: boolean } {
  let at = 0;
  return {
    pick: (below) => (at < choices.length ? choices[at++] % below : 0),
    get done() {
      return at >= choices.length;
    },
  };
}

/** What programs are spelled by. */
export const choices = fc.array(fc.nat(5000), { minLength: 32, maxLength: 120 });

/** Shapes that x, y and z may have: small ones, and ones that loops take in blocks, in chunks and by threads. */
const shapesOf: Readonly<Record<"small" | "large", readonly (readonly Shape[])[]>> = {
  small: [
    [[3, 4], [4], [2, 3, 4], [1, 4], [6, 5], [], [2, 1, 2, 3, 1, 2], [17], [0, 3], [2, 2, 1, 3], [1]],
    [[3, 4], [4, 3], [3, 1], [5], [1]],
    [
      [4, 4],
      [3, 4],
      [2, 2, 3],
    ],
  ],
  large: [
    [[40, 33], [300], [2, 35, 9], [1100], [70, 17], [1, 520], [3, 5, 40], [257, 3], [4, 3, 6, 7]],
    [[33], [40, 33], [17], [1], [40, 1], [9], [520, 4]],
    [
      [33, 40],
      [64, 20],
      [1, 1, 50],
      [2, 600],
    ],
  ],
};
const most = { small: 400, large: 6000 };

/** How programs are made. */
export interface ProgramOptions {
  /** Gradients of a sum of it are outputs too. */
  readonly differentiate?: boolean;
  /** Most floats are rounded to 16-bit formats. */
  readonly narrow?: boolean;
  readonly size?: "small" | "large";
  /** Some indices are out of range: such a program doesn't run. */
  readonly strays?: boolean;
  /** What grows most, by name; a few by chance in half the programs unless given. */
  readonly favour?: readonly string[];
}

/** The program that the choices spell. */
export function programOf(
  choices: readonly number[],
  { differentiate = false, narrow = false, size = "small", strays = false, favour }: ProgramOptions = {},
): Program {
  const deciding = tape(choices);
  const { pick } = deciding;
  const shapes = shapesOf[size].map((list) => list[pick(list.length)]);
  const kind = one(deciding, ["mild", "mild", "rough", "edges"]);
  const inputs = {
    x: { dtype: "float32" as const, shape: shapes[0] },
    y: { dtype: "float32" as const, shape: shapes[1] },
    z: { dtype: "float32" as const, shape: shapes[2] },
    n: { dtype: "int32" as const, shape: [3, 4] as Shape },
    b: { dtype: "bool" as const, shape: [4] as Shape },
    u: { dtype: "uint32" as const, shape: [2, 3] as Shape },
  };
  const build = (nodes: { readonly [K in keyof typeof inputs]: Node }): Built => {
    const pool: Node[] = Object.values(nodes);
    const steps: Node[] = [];
    const some = () => any({ pick, values: pool });
    // Half the programs are of a few ops alone: what these make of each other comes oftener.
    const byChance = () => (pick(2) ? favourites({ pick, values: pool, depth: 0 }) : []);
    const favoured = favour ? favour.map((name) => growers[name]) : byChance();
    const scale = size === "large" ? 9 : 1;
    while (!deciding.done && steps.length < 14) {
      const grown = attempt(() => grow({ pick, values: pool, depth: 0, scale, strays, favoured })) ?? [];
      for (const value of grown) {
        if (sizeOf(value.shape) > most[size]) continue;
        const rounds = narrow && value.dtype === "float32" && pick(3) > 0;
        const node = rounds ? roundTo(value, narrowFormats[pick(4) > 0 ? 0 : 1]) : value;
        pool.push(node);
        steps.push(node);
      }
    }
    const outputs: Record<string, Node> = {};
    const state: [string, string][] = [];
    // New versions of inputs, where there is a value of their shape: perhaps another input, which then may change places with it, or an output already.
    for (const [name, { shape, dtype }] of Object.entries(nodes)) {
      const next = pool.filter((node) => node.dtype === dtype && sameShape(node.shape, shape));
      if (pick(3) === 2) continue;
      outputs[name] = next[next.length - 1 - pick(next.length)];
      state.push([name, name]);
    }
    outputs.last = pool[pool.length - 1];
    // Most of what is rounded is read by others than the next step as well.
    if (narrow)
      steps.forEach((node, i) => {
        if (node.dtype === "float32") outputs[`step${i}`] = ops.add(node, 1);
      });
    for (let i = pick(4); i >= 0; i--) outputs[`some${i}`] = some();
    if (differentiate) {
      const target = steps.filter((node) => node.dtype === "float32").pop() ?? nodes.x;
      const loss = target.shape.length ? reduce.sum(target) : target;
      gradients(loss, [nodes.x, nodes.y, nodes.z]).forEach((grad, i) => {
        outputs[`grad${i}`] = grad;
      });
    }
    return { outputs, watched: pick(2) ? { watched: some() } : undefined, state };
  };
  // One look at the stack for all: nobody asks where its nodes were made.
  const graph = traceGraph(inputs, (nodes) => atOneSite(() => build(nodes)));
  const data = [
    (kind === "mild" ? testData(shapes[0], "float32", [-2, 2], 1) : roughData(shapes[0], 1)).data,
    testData(shapes[1], "float32", [-3, 3], 2).data,
    testData(shapes[2], "float32", [0, 2], 3).data,
    testData([3, 4], "int32", [-2, 6], 4).data,
    testData([4], "bool", [0, 1], 5).data,
    testData([2, 3], "uint32", [0, 2 ** 32], 6).data,
  ];
  if (kind === "edges") for (const each of data) putEdges(each);
  return { graph, inputs: data };
}

const edgesOf = {
  float32: [
    NaN,
    0,
    -0,
    Infinity,
    -Infinity,
    2 ** -149,
    -(2 ** -140),
    2 ** -126,
    3.4028234663852886e38,
    2 ** 31,
    0.5,
    -1,
  ],
  int32: [-(2 ** 31), 2 ** 31 - 1, 0, -1],
  uint32: [2 ** 32 - 1, 2 ** 31, 0, 1],
  bool: [1, 0],
};

/** Every third element becomes one at which functions end or turn. */
function putEdges(data: TypedArray): void {
  const edges = edgesOf[dtypeOf(data)];
  for (let i = 0; i < data.length; i += 3) data[i] = edges[(i / 3) % edges.length];
}

const reference = referenceBackend();

/** Law 6: unfused and fused plans of the program give the reference's bits on each backend, or refuse an index as it does, and plans' memory holds what it should. Twice over: the second run reads the state that the first one wrote, and draws on. → Whether it runs: an index that is refused is so by all. Not as a boolean, since a property that comes to false fails. */
export async function checkProgram(
  { graph, inputs }: Program,
  backends: readonly (readonly [string, Backend])[],
  plans: readonly ("fused" | "unfused")[] = ["fused", "unfused"],
): Promise<"runs" | "is refused"> {
  const outcome = async (backend: Backend, plan: Plan) => {
    try {
      return await runPlan(backend, plan, inputs, 77, 2);
    } catch (error) {
      if (error instanceof OutOfRange) return "an index is refused";
      throw error;
    }
  };
  const expected = await outcome(reference, lower(graph));
  for (const name of plans) {
    const plan = lower(graph, { fuse: name === "fused" });
    checkMemory(plan);
    for (const [on, backend] of backends) {
      const actual = await outcome(backend, plan);
      try {
        if (typeof actual === "string" || typeof expected === "string")
          expect(actual, `${on}, ${name}`).toEqual(expected);
        else
          plan.outputs.forEach((port, i) => {
            expectSameBits(actual[i], expected[i], `${on}, ${name}: ${port.name}`);
          });
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
      }
    }
  }
  return typeof expected === "string" ? "is refused" : "runs";
}
