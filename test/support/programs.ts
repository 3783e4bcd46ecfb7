// Random programs for property tests: a list of numbers decides op after op over a pool of values, so that shrinking the list shrinks the
// program. A choice that an op refuses by its own check is skipped.
import { narrowFormats } from "../../kernels/expr.ts";
import { gradients } from "../../src/autograd/grad.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import { type Shape, sameShape, sizeOf } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/hash.ts";
import type { Node } from "../../src/graph/node.ts";
import * as compare from "../../src/ops/compare.ts";
import * as composite from "../../src/ops/composite.ts";
import * as creation from "../../src/ops/creation.ts";
import * as cumulative from "../../src/ops/cumulative.ts";
import { broadcastTo } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as indexed from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as padding from "../../src/ops/pad.ts";
import { roundTo } from "../../src/ops/precision.ts";
import * as random from "../../src/ops/random.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as sorting from "../../src/ops/sort.ts";
import { unfold } from "../../src/ops/unfold.ts";
import { roughData, testData, traceGraph } from "./graphs.ts";

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

const largest = 400;
const unaries = [
  ops.neg,
  ops.abs,
  ops.sqrt,
  ops.exp,
  ops.tanh,
  ops.relu,
  ops.sigmoid,
  ops.floor,
  ops.log,
  ops.stopGradient,
] as const;
const binaries = [ops.add, ops.sub, ops.mul, ops.div, ops.maximum, ops.minimum] as const;
const alongs = [
  cumulative.cumsum,
  cumulative.cumprod,
  cumulative.logCumSumExp,
  (x: Node, axis: number) => cumulative.cummax(x, axis).values,
  (x: Node, axis: number) => sorting.sort(x, axis),
  (x: Node, axis: number) => sorting.argsort(x, { axis, descending: true }),
] as const;
const comparisons = [compare.less, compare.equal, compare.greaterEqual, compare.notEqual] as const;
const reductions = [
  reduce.sum,
  reduce.max,
  reduce.min,
  reduce.mean,
  reduce.argmax,
  reduce.variance,
  reduce.prod,
  reduce.logSumExp,
] as const;

/** The program that the choices spell. With `differentiate`, gradients of a sum of it are outputs too; with `narrow`, most floats are rounded to 16-bit formats. */
export function programOf(choices: readonly number[], { differentiate = false, narrow = false } = {}): Program {
  const deciding = tape(choices);
  const { pick } = deciding;
  const shapes: Shape[] = [
    [[3, 4], [4], [2, 3, 4], [1, 4], [6, 5], []][pick(6)],
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
    const any = () => pool[Math.max(0, pool.length - 1 - pick(pool.length))];
    const float = () => {
      const node = any();
      return node.dtype === "float32" ? node : node.dtype === "uint32" ? nodes.x : ops.cast(node, "float32");
    };
    while (!deciding.done && steps.length < 14) {
      const grown = attempt(() => grow(pick, any, float));
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

function attempt(body: () => Node): Node | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof ShapeError || error instanceof DTypeError) return undefined;
    throw error;
  }
}

/** One more value from those there are. */
function grow(pick: (below: number) => number, any: () => Node, float: () => Node): Node {
  const axesOf = (x: Node) => x.shape.map((_, axis) => axis).filter(() => pick(2) === 1);
  switch (pick(18)) {
    case 17: {
      const x = float();
      return alongs[pick(alongs.length)](x, pick(Math.max(1, x.shape.length)));
    }
    case 0:
    case 1:
      return unaries[pick(unaries.length)](float());
    case 2:
    case 3:
    case 4: {
      const op = binaries[pick(binaries.length)];
      return op(float(), pick(4) ? float() : [0.5, -2, 0, 3][pick(4)]);
    }
    case 5:
      return ops.where(comparisons[pick(4)](float(), float()), float(), pick(2) ? float() : 1);
    case 6: {
      const x = any();
      return ops.cast(x, (["int32", "bool", "float32"] as const)[pick(3)]);
    }
    case 7: {
      const x = any();
      return reductions[pick(reductions.length)](x, { axis: axesOf(x), keepDims: pick(2) === 1 });
    }
    case 8: {
      const x = any();
      const order = x.shape.map((_, axis) => axis);
      for (let i = order.length - 1; i > 0; i--) {
        const j = pick(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return movement.transpose(x, order);
    }
    case 9: {
      const x = any();
      const size = sizeOf(x.shape);
      const divisors = [1, 2, 3, 4, 5, 6, 12].filter((d) => size % d === 0);
      return movement.reshape(x, [divisors[pick(divisors.length)], -1]);
    }
    case 10: {
      const x = any();
      return movement.slice(
        x,
        x.shape.map((extent) => {
          const [from, to] = [pick(extent + 1), pick(extent + 1)];
          return pick(3) === 0 ? null : from <= to ? ([from, to, 1 + pick(2)] as const) : ([from, to, -1] as const);
        }),
      );
    }
    case 11: {
      const x = any();
      return padding.pad(
        x,
        x.shape.map(() => [pick(2), pick(3)]),
        x.dtype === "uint32" ? 7 : pick(2),
      );
    }
    case 12: {
      const x = any();
      return broadcastTo(x, [1 + pick(3), ...x.shape.map((extent) => (extent === 1 ? 1 + pick(3) : extent))]);
    }
    case 13: {
      const [a, b] = [float(), float()];
      return pick(2) ? matmul(a, b) : matmul(a, movement.swapAxes(a));
    }
    case 14: {
      const x = any();
      if (x.shape.length === 0) return creation.oneHot(ops.cast(ops.floor(float()), "int32"), 3);
      const axis = pick(x.shape.length);
      const wanted = ops.cast(float(), "int32");
      if (x.shape[axis] === 0) return x;
      const index = ops.minimum(
        ops.maximum(broadcastTo(movement.reshape(wanted, [-1]), [sizeOf(wanted.shape)]), 0),
        x.shape[axis] - 1,
      );
      if (x.shape.length > 1)
        return indexed.take(
          movement.transpose(x, [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)]),
          index,
        );
      return pick(2) || x.dtype !== "float32"
        ? indexed.gather(x, index, 0)
        : indexed.scatterAdd(index, ops.cast(index, "float32"), 0, x.shape[0]);
    }
    case 15: {
      const x = any();
      if (x.shape.length === 0) return ops.neg(float());
      const axis = pick(x.shape.length);
      return unfold(x, axis, 1 + pick(Math.max(1, x.shape[axis])), 1 + pick(2));
    }
    default: {
      const shape = any().shape;
      return [
        () => random.uniform(shape),
        () => composite.dropout(float(), 0.4),
        () => random.randint(shape, -3, 4),
        () => movement.concat([float(), float()], 0),
        () => random.normal(shape),
        () => creation.coordinate(shape, 0),
      ][pick(6)]();
    }
  }
}
