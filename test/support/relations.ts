// What random programs must keep to that no single backend can show, the reference least of all: a loop is its positions one after another, a derivative is
// one linear map from either side.
import { expect } from "vitest";
import { batched } from "../../src/autograd/batch.ts";
import { pullback, pushforward } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { makeArray, type TypedArray } from "../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { bodyValues, loopAttributes } from "../../src/graph/body.ts";
import { type Graph, graphNodes } from "../../src/graph/graph.ts";
import { type DrawRange, Node, reachable } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { reserveDraws } from "../../src/graph/scope.ts";
import { constant } from "../../src/ops/creation.ts";
import { full, recordOf } from "../../src/ops/define.ts";
import { reshape, slice, stack } from "../../src/ops/movement.ts";
import { evaluateFloat64 } from "./float64.ts";
import { type Data, expectSameBits, runPlan, testData, traceGraph } from "./graphs.ts";
import type { Program } from "./programs.ts";

const reference = referenceBackend();

/** Runs a check; where it fails, says of which graph. */
function shown(graph: Graph, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
  }
}

/** The graph with loops written out, those in loops too: for each position the body's nodes. */
function unrolled(graph: Graph): Graph {
  const twins = new Map<Node, Node>();
  const writeOut = (node: Node, inputs: readonly Node[]): Node => {
    const { op, dtype, shape, attributes, draws, ownGradient } = node;
    if (recordOf(node).kind !== "repeat") return new Node({ op, dtype, shape, attributes, draws, ownGradient, inputs });
    const { body, length, reverse, of, at } = loopAttributes(node);
    const [slices, fixed] = [body.carries.length, body.carries.length + body.slices];
    const found: Node[] = [];
    let carry = inputs.slice(0, slices);
    for (let turn = 0; turn < length; turn++) {
      const position = reverse ? length - 1 - turn : turn;
      const here = inputs.slice(slices, fixed).map((each) => reshape(slice(each, [position]), each.shape.slice(1)));
      const leaves = [...carry, ...here, ...inputs.slice(fixed)];
      const range = draws && { ...draws, offset: draws.offset + position * body.draws };
      const values = new Map<Node, Node>(leaves.map((leaf) => [leaf, leaf]));
      const all = bodyValues(body, leaves, { made: undefined, draws: range });
      for (const each of all.slice(leaves.length))
        values.set(
          each,
          writeOut(
            each,
            each.inputs.map((input) => values.get(input)!),
          ),
        );
      const now = all.map((each) => values.get(each)!);
      carry = body.carries.map((number) => now[number]);
      found[position] = now[at];
    }
    if (of === "carry") return carry[at];
    return length === 0 ? full(shape, 0, dtype) : stack(found);
  };
  const twin = (node: Node) => twins.get(node)!;
  for (const { node } of graph.inputs) twins.set(node, node);
  for (const node of graphNodes(graph))
    if (!twins.has(node)) twins.set(node, node.data ? node : writeOut(node, node.inputs.map(twin)));
  return { ...graph, outputs: graph.outputs.map(({ name, node }) => ({ name, node: twin(node) })), watched: [] };
}

export const hasLoops = (graph: Graph): boolean => graphNodes(graph).some(({ op }) => op === "scan");

/** Fails unless loops come to the bits that their positions come to, one after another. */
export async function checkLoops({ graph, inputs }: Program): Promise<void> {
  const actual = await runPlan(reference, lower(graph), inputs, 5);
  const expected = await runPlan(reference, lower(unrolled(graph)), inputs, 5);
  graph.outputs.forEach(({ name }, i) => {
    shown(graph, () => expectSameBits(actual[i], expected[i], `${name}, of loops`));
  });
}

/** The graph's outputs over other inputs, with each node's draws given. */
function again(graph: Graph, inputs: readonly Node[], draws: (range: DrawRange) => DrawRange): Node[] {
  const twins = new Map(graph.inputs.map(({ node }, i) => [node, inputs[i]]));
  for (const node of graphNodes(graph)) {
    if (twins.has(node)) continue;
    const { op, dtype, shape, attributes, data, ownGradient } = node;
    const operands = node.inputs.map((each) => twins.get(each)!);
    const range = node.draws && draws(node.draws);
    twins.set(node, new Node({ op, dtype, shape, attributes, data, ownGradient, inputs: operands, draws: range }));
  }
  return graph.outputs.map(({ node }) => twins.get(node)!);
}

const named = (nodes: readonly Node[]) => Object.fromEntries(nodes.map((node, i) => [String(i), node]));

function traced(shapes: readonly Pick<Data, "dtype" | "shape">[], build: (nodes: Node[]) => Node[]): Graph {
  const ports = Object.fromEntries(shapes.map((port, i) => [`in${i}`, port]));
  return traceGraph(ports, (nodes) => ({ outputs: named(build(Object.values(nodes))) }));
}

/** Fails unless a function on a batch gives each example's bits on each backend. Its draws are batch-major: in loops, position after position. An example's inputs are the program's, turned by as many places. */
export async function checkBatch({ graph, inputs }: Program, on: readonly Backend[], size = 3): Promise<void> {
  const ports = graph.inputs.map(({ node: { dtype, shape } }) => ({ dtype, shape }));
  const whole = traced(
    ports.map(({ dtype, shape }) => ({ dtype, shape: [size, ...shape] })),
    (nodes) =>
      batched(size, nodes, (examples) => {
        const { body } = reserveDraws(graph.draws);
        return again(graph, examples, (range) => ({ ...range, body }));
      }),
  );
  const single = unrolled(graph);
  const all = ports.map(({ dtype, shape }) => makeArray(dtype, size * sizeOf(shape)));
  const expected: TypedArray[][] = [];
  for (let example = 0; example < size; example++) {
    const one = traced(ports, (nodes) =>
      again(single, nodes, ({ offset, count, ...rest }) => ({
        ...rest,
        offset: size * offset + example * count,
        count,
      })),
    );
    const own = inputs.map(
      (data) => data.slice().map((_: number, i: number) => data[(i + example) % data.length]) as TypedArray,
    );
    own.forEach((data, i) => {
      all[i].set(data, example * data.length);
    });
    expected.push(await runPlan(reference, lower(one), own, 5));
  }
  const plan = lower(whole);
  for (const backend of on) {
    const actual = await runPlan(backend, plan, all, 5);
    actual.forEach((data, i) => {
      const each = data.length / size;
      expected.forEach((outputs, at) => {
        const label = `${backend.name}, output ${i} of example ${at} of a batch`;
        shown(graph, () => expectSameBits(data.slice(at * each, (at + 1) * each), outputs[i], label));
      });
    });
  }
}

const direction = (shape: Shape, seed: number): Node =>
  constant(testData(shape, "float32", [-1, 1], seed).data, shape, "float32");

/** Data that derivatives are checked at: with 1 in place of what isn't small. */
const calm = (data: TypedArray) => Float64Array.from(data, (x) => (Math.abs(x) < 8 ? x : 1));

/** Fails unless in float64 u · (J v) = (uᵀ J) · v, and a loop's gradients are those of its positions, to 1e-6. Programs that come to large numbers on the way say nothing: what cancels is lost. */
export function checkDerivatives({ graph, inputs }: Program): "checked" | "large numbers" | "many nodes" {
  const wanted = graph.inputs.slice(0, 3).map(({ node }) => node);
  const floatsOf = ({ outputs }: Graph) => outputs.map(({ node }) => node).filter(({ dtype }) => dtype === "float32");
  const floats = floatsOf(graph);
  const seeds = floats.map(({ shape }, i) => direction(shape, 31 + i));
  const tangents = wanted.map(({ shape }, i) => direction(shape, 51 + i));
  const backwardOf = (outputs: readonly Node[]) =>
    pullback(
      outputs.map((output, i) => ({ output, seed: seeds[i] })),
      wanted,
    );
  const forward = pushforward(floats, wanted, tangents);
  const backward = backwardOf(floats);
  const again = hasLoops(graph) ? backwardOf(floatsOf(unrolled(graph))) : backward;
  const all = reachable([...forward, ...backward, ...again, ...seeds, ...tangents]);
  if (all.length > 3000) return "many nodes";
  const values = new Map<Node, Float64Array>();
  const bound = new Map(graph.inputs.map(({ node }, i) => [node, calm(inputs[i])]));
  evaluateFloat64(all, bound).forEach((data, i) => {
    values.set(all[i], data);
  });
  const isLarge = (node: Node) => node.dtype === "float32" && values.get(node)!.some((x) => !(Math.abs(x) < 1e6));
  if (all.some(isLarge)) return "large numbers";
  const dot = (left: readonly Node[], right: readonly Node[]) =>
    left.reduce((sum, x, i) => values.get(x)!.reduce((sum, one, k) => sum + one * values.get(right[i])![k], sum), 0);
  const compare = (what: string, a: number, b: number) => {
    shown(graph, () => expect(Math.abs(a - b), `${what}: ${a} beside ${b}`).toBeLessThan(1e-6));
  };
  compare("jvp and vjp", dot(seeds, forward), dot(backward, tangents));
  backward.forEach((each, i) => {
    const other = values.get(again[i])!;
    values.get(each)!.forEach((x, k) => {
      compare(`gradient ${i} of loops and of their positions`, x, other[k]);
    });
  });
  return "checked";
}
