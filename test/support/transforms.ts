// What random chains of transforms must come to: what each transform means written out, and derivatives what differences are.
import { expect } from "vitest";
import { pushforward } from "../../src/autograd/grad.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { lower } from "../../src/compile/lower.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { GradError } from "../../src/core/errors.ts";
import { type Graph, graphNodes } from "../../src/graph/graph.ts";
import { type Node, reachable } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { withTrace } from "../../src/graph/scope.ts";
import * as sg from "../../src/index.ts";
import { chained, derives, type Fn, isFloat, traced } from "./chains.ts";
import { evaluatorOf } from "./float64.ts";
import { expectSameBits, runPlan, testData } from "./graphs.ts";

type T = sg.Tensor;
const reference = referenceBackend();

const dataOf = ({ args }: Fn): TypedArray[] =>
  args.map(({ dtype, shape }, i) => testData(shape, dtype, dtype === "int32" ? [-2, 5] : [-1, 1.5], i + 1).data);

const floatNodes = (nodes: readonly Node[]) => nodes.filter(isFloat);
/** Nodes of a graph that float64 still takes in a moment. */
const mostNodes = 2500;

/** What a scan can't take of what was drawn elsewhere. */
const isRefused = (error: unknown) => error instanceof GradError && /^scan: a gradient .* draws/.test(error.message);

/**
 * Fails unless a chain of transforms comes to what it comes to with each of them written out, in float64 to 1e-7 and by its bits where nothing differentiates it, to what it
 * comes to compiled and not, and unless its derivative along a direction is the difference of its values. Gives what was checked. What comes to large numbers says nothing: what cancels is lost.
 */
export async function checkTransforms(choices: readonly number[]): Promise<string[]> {
  const { fn, steps } = chained(choices);
  let graph: Graph;
  try {
    graph = traced(fn);
  } catch (error) {
    if (isRefused(error)) return ["refused"];
    throw error;
  }
  const drawn = graph.draws > 0;
  // A gradient by hand that computes its function again draws anew.
  if (drawn && steps.some(({ name }) => name === "customGradient")) return ["draws in a gradient by hand"];
  const nodes = graphNodes(graph);
  if (nodes.length > mostNodes) return ["many nodes"];
  const data = dataOf(fn);
  const float64 = (of: Graph, roots: readonly Node[]) =>
    evaluatorOf(
      roots,
      of.inputs.map(({ node }) => node),
    )(data);
  const roots = (of: Graph) => of.outputs.map(({ node }) => node);
  const largest = float64(graph, floatNodes(nodes)).reduce((most, values) => {
    return values.reduce((sofar, x) => Math.max(sofar, Number.isNaN(x) ? Infinity : Math.abs(x)), most);
  }, 1);
  const checked: string[] = [];
  for (const [i, { name, writtenOut, drawsOtherwise, keepsBits }] of steps.entries()) {
    if (!writtenOut || (drawn && drawsOtherwise)) continue;
    const long = chained(choices, i).fn;
    const other = traced(long);
    if (graphNodes(other).length > 2 * mostNodes) continue;
    try {
      if (largest < 1e5) {
        const expected = float64(other, roots(other));
        float64(graph, roots(graph)).forEach((values, k) => {
          expectNear(values, expected[k], 1e-7 * largest, `output ${k}`);
        });
        checked.push(name);
      }
      if (keepsBits && steps.slice(i + 1).every((step) => !derives.includes(step.name))) {
        const [actual, expected] = [
          await runPlan(reference, lower(graph), data, 5),
          await runPlan(reference, lower(other), data, 5),
        ];
        actual.forEach((values, k) => {
          expectSameBits(values, expected[k], `output ${k}`);
        });
        checked.push(`bits of ${name}`);
      }
    } catch (error) {
      throw new Error(`${fn.name}, and ${long.name}: ${(error as Error).message}\n${printGraph(graph)}`);
    }
  }
  if (largest < 100 && !steps.some(({ isTruncated }) => isTruncated)) {
    checkDifferences(fn, graph, data);
    checked.push("differences");
  }
  await checkCompiled(fn, graph, data);
  return checked;
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, label: string): void {
  if (actual.length !== expected.length)
    expect.fail(`${label}: ${actual.length} elements, ${expected.length} written out`);
  for (let i = 0; i < actual.length; i++)
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance))
      expect.fail(`${label}, element ${i}: ${actual[i]}, written out ${expected[i]}`);
}

/** The derivative along one direction, where the function is smooth there: where differences over half the step agree, and those to either side do. */
function checkDifferences({ name }: Fn, graph: Graph, data: readonly TypedArray[]): void {
  const leaves = graph.inputs.map(({ node }) => node);
  const outputs = floatNodes(graph.outputs.map(({ node }) => node));
  const directions = leaves.map(({ shape }, i) => testData(shape, "float32", [-1, 1], 80 + i).data);
  const { result: tangents } = withTrace(() => {
    const given = floatNodes(leaves);
    return pushforward(
      outputs,
      given,
      given.map((leaf) => sg.tensor(directions[leaves.indexOf(leaf)] as Float32Array, { shape: leaf.shape }).node),
    );
  });
  if (reachable(tangents).length > 2 * mostNodes) return;
  const along = evaluatorOf(tangents, leaves)(data);
  const values = evaluatorOf(outputs, leaves);
  const at = (step: number) =>
    values(
      leaves.map((leaf, i) => Float64Array.from(data[i], (x, k) => (isFloat(leaf) ? x + step * directions[i][k] : x))),
    );
  const here = at(0);
  const steps = [4e-3, 2e-3, 1e-3].map((step) => ({ step, ahead: at(step), behind: at(-step) }));
  along.forEach((tangent, o) => {
    tangent.forEach((actual, i) => {
      const both = steps.map(({ step, ahead, behind }) => (ahead[o][i] - behind[o][i]) / (2 * step));
      const bends = steps.map(
        ({ step, ahead, behind }) => Math.abs(ahead[o][i] - 2 * here[o][i] + behind[o][i]) / step,
      );
      const scale = 1 + Math.abs(both[2]) + Math.abs(here[o][i]);
      const [first, second] = [Math.abs(both[0] - both[1]), Math.abs(both[1] - both[2])];
      const isSmooth =
        first < 2e-3 * scale &&
        second <= 0.4 * first + 1e-5 * scale &&
        bends[2] <= 0.7 * bends[0] + 1e-5 * scale &&
        bends[2] < 0.5 * scale;
      const expected = (4 * both[2] - both[1]) / 3;
      if (isSmooth && Number.isFinite(actual) && !(Math.abs(actual - expected) <= 2e-3 * scale))
        throw new Error(
          `${name}: the derivative of output ${o}, element ${i}, is ${actual}, by differences ${expected}\n${printGraph(graph)}`,
        );
    });
  });
}

/** Run at once and compiled: the same bits, and the same draws. */
async function checkCompiled({ name, args, call }: Fn, graph: Graph, data: readonly TypedArray[]): Promise<void> {
  const given = () => args.map(({ dtype, shape }, i) => sg.tensor(data[i] as Float32Array, { dtype, shape }));
  const read = (list: readonly T[]) => Promise.all(list.map((each) => each.data()));
  const stream = sg.manualSeed(77);
  const eager = await read(call(given()));
  const position = stream.position;
  sg.manualSeed(77);
  const compiled = await read(await sg.compile((...xs: T[]) => call(xs), { strict: false })(...given()));
  eager.forEach((values, i) => {
    expectSameBits(values, compiled[i], `${name}, output ${i}, eager and compiled`);
  });
  expect(position, `${name}: draws`).toBe(graph.draws);
}
