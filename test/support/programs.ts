// Random programs for property tests: a list of numbers decides op after op over a pool of values, so that shrinking the list shrinks the
// program. A choice that an op refuses by its own check is skipped. And the law that each must keep.
import fc from "fast-check";
import { gradients } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { narrowFormats } from "../../src/core/dtype.ts";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import { type Shape, sameShape, sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { roundTo } from "../../src/ops/precision.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { checkMemory } from "./arena.ts";
import { expectSameBits, roughData, runPlan, testData, traceGraph } from "./graphs.ts";
import { grow } from "./growers.ts";

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
export const choices = fc.array(fc.nat(5000), { minLength: 20, maxLength: 120 });

const largest = 400;

/** The program that the choices spell. With `differentiate`, gradients of a sum of it are outputs too; with `narrow`, most floats are rounded to 16-bit formats. */
export function programOf(choices: readonly number[], { differentiate = false, narrow = false } = {}): Program {
  const deciding = tape(choices);
  const { pick } = deciding;
  const shapes: Shape[] = [
    [[3, 4], [4], [2, 3, 4], [1, 4], [6, 5], [], [2, 1, 2, 3, 1, 2], [17], [0, 3], [2, 2, 1, 3], [1]][pick(11)],
    [[3, 4], [4, 3], [3, 1], [5], [1]][pick(5)],
    [
      [4, 4],
      [3, 4],
      [2, 2, 3],
    ][pick(3)],
  ];
  const inputs = {
    x: { dtype: "float32" as const, shape: shapes[0] },
    y: { dtype: "float32" as const, shape: shapes[1] },
    z: { dtype: "float32" as const, shape: shapes[2] },
    n: { dtype: "int32" as const, shape: [3, 4] as Shape },
  };
  const graph = traceGraph(inputs, (nodes) => {
    const pool: Node[] = Object.values(nodes);
    const steps: Node[] = [];
    const any = () => pool[pool.length - 1 - pick(pool.length)];
    while (!deciding.done && steps.length < 14) {
      const grown = attempt(() => grow({ pick, values: pool, depth: 0 }));
      if (!grown || sizeOf(grown.shape) > largest) continue;
      const rounds = narrow && grown.dtype === "float32" && pick(3) > 0;
      const node = rounds ? roundTo(grown, narrowFormats[pick(4) > 0 ? 0 : 1]) : grown;
      pool.push(node);
      steps.push(node);
    }
    const outputs: Record<string, Node> = {};
    const state: [string, string][] = [];
    // New versions of inputs, where the pool holds a value of their shape.
    for (const name of ["x", "y"] as const) {
      const next = steps.filter((node) => node.dtype === "float32" && sameShape(node.shape, nodes[name].shape));
      if (next.length === 0 || pick(3) === 2) continue;
      outputs[name] = next[pick(next.length)];
      state.push([name, name]);
    }
    outputs.last = pool[pool.length - 1];
    // Most of what is rounded is read by others than the next step as well.
    if (narrow)
      steps.forEach((node, i) => {
        if (node.dtype === "float32") outputs[`step${i}`] = ops.add(node, 1);
      });
    outputs.some = any();
    if (differentiate) {
      const target = steps.filter((node) => node.dtype === "float32").pop() ?? nodes.x;
      const loss = target.shape.length ? reduce.sum(target) : target;
      gradients(loss, [nodes.x, nodes.y, nodes.z]).forEach((grad, i) => {
        outputs[`grad${i}`] = grad;
      });
    }
    return { outputs, watched: pick(2) ? { watched: any() } : undefined, state };
  });
  return {
    graph,
    inputs: [
      roughData(shapes[0], 1).data,
      testData(shapes[1], "float32", [-3, 3], 2).data,
      testData(shapes[2], "float32", [0, 2], 3).data,
      testData([3, 4], "int32", [-2, 6], 4).data,
    ],
  };
}

/** What the body gives, or nothing where an op refuses its operands. */
export function attempt(body: () => Node): Node | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof ShapeError || error instanceof DTypeError) return undefined;
    throw error;
  }
}

const reference = referenceBackend();

/** Law 6: unfused and fused plans of the program give the reference's bits on each backend, and plans' memory holds what it should. Twice over: the second run reads the state that the first one wrote, and draws on. */
export async function checkProgram(
  { graph, inputs }: Program,
  backends: readonly (readonly [string, Backend])[],
  plans: readonly ("fused" | "unfused")[] = ["fused", "unfused"],
): Promise<void> {
  const expected = await runPlan(reference, lower(graph), inputs, 77, 2);
  for (const name of plans) {
    const plan = lower(graph, { fuse: name === "fused" });
    checkMemory(plan);
    for (const [on, backend] of backends) {
      const actual = await runPlan(backend, plan, inputs, 77, 2);
      plan.outputs.forEach((port, i) => {
        try {
          expectSameBits(actual[i], expected[i], `${on}, ${name}: ${port.name}`);
        } catch (error) {
          throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
        }
      });
    }
  }
}
