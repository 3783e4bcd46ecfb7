// A graph written down and read back: nothing differs, node by node, and what differs from another program is the same as of the graph itself.
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/program/compiled.ts";
import { Stream } from "../../src/rng/stream.ts";
import { readGraph, recordGraph } from "../../src/run/graph.ts";
import { dropout, tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareGraphs } from "../../src/verify/graphs.ts";

const x = { data: new Float32Array(12), shape: [3, 4], dtype: "float32" } as const;
const trace = (body: (x: Tensor) => Tensor): Promise<Graph> =>
  compile(body as never, { stream: new Stream(2n ** 63n), backend: "reference" }).trace(x as never);

const program = (bound: number, constant: number) => (x: Tensor) =>
  dropout(x.mul(-0).add(bound), 0.5)
    .maximum(tensor([constant, 2, 3, 4]))
    .sum({ axis: 1 })
    .reshape([3, 1]);

describe("recordGraph, readGraph", () => {
  test("the same graph: numbers that JSON lacks, constants, draws, shapes and the seed", async () => {
    const graph = await trace(program(Number.NEGATIVE_INFINITY, 1));
    const text = recordGraph(graph);
    const read = readGraph("graph.json", text);
    expect(compareGraphs(graph, read).differences).toEqual([]);
    expect([read.seed, read.draws]).toEqual([graph.seed, graph.draws]);
    expect(recordGraph(read)).toBe(text);
  });

  test("another program: the same nodes are named as of the graph itself", async () => {
    const graph = await trace(program(1, 1));
    const other = await trace(program(2, 5));
    const told = (first: Graph) =>
      compareGraphs(first, other).differences.map(({ what, first, second }) => [what, first, second]);
    expect(told(readGraph("graph.json", recordGraph(graph)))).toEqual(told(graph));
    expect(told(graph).map(([what]) => what)).toEqual([["value"], ["content"]]);
  });

  test.each([
    ["no JSON", "{"],
    ["another format", '{"format":2}'],
    [
      "a shape that is none",
      '{"draws":0,"format":1,"inputs":[["x","float32",null]],"nodes":[],"outputs":[],"seed":"1"}',
    ],
    [
      "a node without attributes",
      '{"draws":0,"format":1,"inputs":[],"nodes":[["zeros","float32",[],[]]],"outputs":[],"seed":"1"}',
    ],
    [
      "a node that reads an array's method",
      '{"draws":0,"format":1,"inputs":[],"nodes":[["neg","float32",[],["map"],{}]],"outputs":[],"seed":"1"}',
    ],
    [
      "a number beyond all",
      '{"draws":0,"format":1,"inputs":[],"nodes":[["full","float32",[],[],{"value":[1e999]}]],"outputs":[],"seed":"1"}',
    ],
    [
      "a node that reads what comes later",
      '{"draws":0,"format":1,"inputs":[],"nodes":[["neg","float32",[],[1],{}]],"outputs":[],"seed":"1"}',
    ],
  ])("%s: a CheckpointError that names the file", (_, text) => {
    expect(() => readGraph("runs/a/graph.json", text)).toThrow(CheckpointError);
    expect(() => readGraph("runs/a/graph.json", text)).toThrow(/runs\/a\/graph\.json/);
  });
});
