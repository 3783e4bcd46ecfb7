// The graph's hash: what is in it, what isn't, and committed vectors, which change only with the numerics id.
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { graphHash, planKey } from "../../src/compile/hash.ts";
import { sha256 } from "../../src/core/canonical.ts";
import type { DType, TypedArray } from "../../src/core/dtype.ts";
import { TraceError } from "../../src/core/errors.ts";
import type { Shape } from "../../src/core/shape.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import { dropout, linear } from "../../src/ops/composite.ts";
import { fromValues } from "../../src/ops/creation.ts";
import { makeNode } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { meaningOf } from "../../src/ops/meaning.ts";
import { transpose } from "../../src/ops/movement.ts";
import { uniform } from "../../src/ops/random.ts";
import { sum } from "../../src/ops/reduce.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { type Built, type GraphOptions, traceGraph } from "../support/graphs.ts";
import { root } from "../support/sources.ts";

type Inputs = Record<string, { dtype: DType; shape: Shape }>;
const x = { dtype: "float32", shape: [2, 3] } as const;
const hash = (build: (x: Node) => Built | Node, inputs: Inputs = { x }, options?: GraphOptions) =>
  graphHash(
    traceGraph(
      inputs,
      (nodes) => {
        const built = build(Object.values(nodes)[0]);
        return built instanceof Node ? { outputs: { y: built } } : built;
      },
      options,
    ),
  );
const plain = () => hash((a) => ops.add(ops.mul(a, 2), 1));

/** A training step in small. */
const step = (seed = 1234n): Graph =>
  traceGraph(
    {
      inputs: { dtype: "float32", shape: [4, 6] },
      targets: { dtype: "int32", shape: [4] },
      weight: { dtype: "float32", shape: [3, 6] },
    },
    ({ inputs, targets, weight }) => {
      const outputs = new Tensor(linear(dropout(inputs, 0.25), weight));
      const loss = crossEntropy(outputs, new Tensor(targets)).node;
      const [grad] = gradients(loss, [weight]);
      return { outputs: { loss, weight: ops.sub(weight, ops.mul(grad, 0.1)) }, state: [["weight", "weight"]] };
    },
    { seed },
  );

describe("the same", () => {
  test("program made twice, though node ids differ", () => {
    expect(plain()).toBe(plain());
    expect(graphHash(step())).toBe(graphHash(step()));
  });

  test("attributes with keys in another order, or undefined ones beside", () => {
    const node = (attributes: Record<string, number | undefined>) =>
      hash((a) => new Node({ op: "neg", dtype: "float32", shape: [2, 3], inputs: [a], attributes }));
    expect(node({ first: 1, second: 2 })).toBe(node({ second: 2, first: 1 }));
    expect(node({ first: 1, second: undefined })).toBe(node({ first: 1 }));
  });

  test("watched roots, nodes that nothing reaches, where state lives", () => {
    const bare = hash((a) => ops.exp(a));
    expect(hash((a) => ({ outputs: { y: ops.exp(a) }, watched: { norm: sum(a) } }))).toBe(bare);
    expect(
      hash((a) => {
        ops.neg(a);
        return ops.exp(a);
      }),
    ).toBe(bare);
  });

  test("captured values by content, as a constant of the same elements", () => {
    const outside = ops.neg(fromValues([1, 2, 3]));
    const captured = (values: TypedArray) =>
      hash((a) => ops.add(a, outside), undefined, { captured: new Map([[outside, values]]) });
    expect(captured(new Float32Array([5, 6, 7]))).toBe(hash((a) => ops.add(a, fromValues([5, 6, 7]))));
    expect(captured(new Float32Array([5, 6, 8]))).not.toBe(captured(new Float32Array([5, 6, 7])));
  });

  test("every NaN of a constant is one NaN", () => {
    const nan = (bits: number) => new Float32Array(new Uint32Array([bits]).buffer);
    const of = (bits: number) => hash((a) => ops.add(a, fromValues(nan(bits))));
    expect(of(0xffc00001)).toBe(of(0x7fc00000));
  });

  test("absolute draws, relative to the graph's base", () => {
    const words = (offset: number, seed?: bigint) =>
      new Node({ op: "randomWords", dtype: "uint32", shape: [4], draws: { offset, count: 4, seed } });
    const at = (node: Node, base: number): string =>
      graphHash({ seed: 7n, inputs: [], outputs: [{ name: "y", node }], watched: [], state: [], draws: 4, base });
    expect(at(words(1003, 7n), 1000)).toBe(at(words(3, 7n), 0));
    expect(at(words(1003, 7n), 1000)).toBe(at(words(3), 1000));
    expect(at(words(1003, 7n), 1000)).not.toBe(at(words(1004, 7n), 1000));
  });
});

describe("another", () => {
  const changes: Record<string, () => string> = {
    seed: () => hash((a) => ops.add(ops.mul(a, 2), 1), undefined, { seed: 1235n }),
    "seed in its high bits": () => hash((a) => ops.add(ops.mul(a, 2), 1), undefined, { seed: 1234n + 2n ** 63n }),
    shape: () => hash((a) => ops.add(ops.mul(a, 2), 1), { x: { dtype: "float32", shape: [3, 2] } }),
    rank: () => hash((a) => ops.add(ops.mul(a, 2), 1), { x: { dtype: "float32", shape: [2, 3, 1] } }),
    dtype: () => hash((a) => ops.add(ops.mul(a, 2), 1), { x: { dtype: "int32", shape: [2, 3] } }),
    number: () => hash((a) => ops.add(ops.mul(a, 2), 1.0000001)),
    op: () => hash((a) => ops.sub(ops.mul(a, 2), 1)),
    "order of operands": () => hash((a) => ops.add(1, ops.mul(a, 2))),
    "order of calls": () =>
      hash((a) => {
        const one = ops.sub(1, 0);
        return ops.add(ops.mul(a, 2), one);
      }),
    "input name": () => hash((a) => ops.add(ops.mul(a, 2), 1), { z: x }),
    "further input": () => hash((a) => ops.add(ops.mul(a, 2), 1), { x, z: x }),
    "output name": () => hash((a) => ({ outputs: { z: ops.add(ops.mul(a, 2), 1) } })),
    "further output": () =>
      hash((a) => {
        const y = ops.add(ops.mul(a, 2), 1);
        return { outputs: { y, z: y } };
      }),
    "number of draws": () =>
      hash((a) => {
        const y = ops.add(ops.mul(a, 2), 1);
        uniform([1]);
        return y;
      }),
  };
  for (const [what, changed] of Object.entries(changes)) {
    test(`${what}: another hash`, () => {
      expect(changed()).not.toBe(plain());
    });
  }

  test("all of them differ from each other", () => {
    expect(new Set(Object.values(changes).map((changed) => changed())).size).toBe(Object.keys(changes).length);
  });

  test("sign of a zero, NaN, infinity", () => {
    const of = (value: number) => hash((a) => ops.mul(a, value));
    expect(new Set([0, -0, NaN, Infinity, -Infinity, 1, 2 ** 60].map(of)).size).toBe(7);
  });

  test("attribute: an axis, a permutation", () => {
    expect(hash((a) => sum(a, { axis: 0 }))).not.toBe(hash((a) => sum(a, { axis: 1 })));
    const cube = { x: { dtype: "float32", shape: [2, 2, 2] } } as const;
    expect(hash((a) => transpose(a, [0, 2, 1]), cube)).not.toBe(hash((a) => transpose(a, [1, 0, 2]), cube));
  });

  test("constant, by one bit, by dtype", () => {
    const of = (values: TypedArray) => hash((a) => sum(ops.add(ops.cast(fromValues(values), "float32"), sum(a))));
    const hashes = [new Float32Array([1, 2]), new Float32Array([1, 2.0000002]), new Int32Array([1, 2])].map(of);
    expect(new Set(hashes).size).toBe(3);
  });

  test("range of draws", () => {
    const skipping = (count: number) =>
      hash(() => {
        if (count) makeNode("randomWords", [], [count]);
        const y = makeNode("randomWords", [], [4]);
        if (count < 3) makeNode("randomWords", [], [3 - count]);
        return y;
      });
    expect(new Set([0, 1, 3].map(skipping)).size).toBe(3);
  });
});

describe("the plan's key", () => {
  const key = (built: (a: Node) => Built) => planKey(traceGraph({ x }, ({ x }) => built(x)));

  test("tells apart what the hash doesn't: what is watched, and what is updated in place", () => {
    const keys = [
      key((a) => ({ outputs: { x: ops.exp(a) } })),
      key((a) => ({ outputs: { x: ops.exp(a) }, watched: { norm: sum(a) } })),
      key((a) => ({ outputs: { x: ops.exp(a) }, watched: { norm: sum(ops.neg(a)) } })),
      key((a) => ({ outputs: { x: ops.exp(a) }, state: [["x", "x"]] })),
    ];
    expect(new Set(keys).size).toBe(4);
  });
});

describe("what an op means", () => {
  const meanings = (node: Node) => meaningOf(node).is;

  test("is its expression's text, hashed, with a node's attributes and dtypes in it", () => {
    const a = new Node({ op: "input", dtype: "float32", shape: [2] });
    const text = (lines: string) => sha256(new TextEncoder().encode(lines));
    expect(meanings(ops.neg(a))).toEqual(text("input float32 0\nneg float32 0"));
    expect(meanings(ops.cast(a, "int32"))).toEqual(text("input float32 0\ntoInt32 int32 0"));
    expect(meanings(ops.cast(a, "bool"))).toEqual(text("input float32 0\nconstant float32 00000000\nne bool 0 1"));
    const integers = new Node({ op: "input", dtype: "int32", shape: [2] });
    expect(meanings(ops.neg(integers))).toEqual(text("input int32 0\nneg int32 0"));
    expect(meanings(sum(a))).toBe(1);
  });

  test("is in the hash: another meaning under the same name is another hash", () => {
    for (const build of [(a: Node) => ops.add(a, 1), (a: Node) => ops.cast(a, "int32")]) {
      const before = hash(build);
      const node = build(new Node({ op: "input", dtype: "float32", shape: [2] }));
      const meant = meaningOf(node);
      const is = Uint8Array.from(meant.is as Uint8Array);
      try {
        (meant.is as Uint8Array)[31] ^= 1;
        expect(hash(build)).not.toBe(before);
      } finally {
        (meant.is as Uint8Array).set(is);
      }
      expect(hash(build)).toBe(before);
    }
  });

  test("of an op that nobody defined is a TraceError", () => {
    const build = (a: Node) => new Node({ op: "nobody's", dtype: "float32", shape: [2, 3], inputs: [a] });
    expect(() => hash(build)).toThrow(TraceError);
    expect(() => hash(build)).toThrow(/an op that isn't defined: got nobody's/);
  });
});

describe("a graph that doesn't hold together is a TraceError, not the hash of another one", () => {
  test("an input made after what it goes into", () => {
    const graph = traceGraph({ x }, ({ x }) => {
      const y = ops.neg(x);
      Object.defineProperty(y, "inputs", { value: [ops.exp(x)] });
      return { outputs: { y } };
    });
    expect(() => graphHash(graph)).toThrow(TraceError);
    expect(() => graphHash(graph)).toThrow(/a node is used that the graph doesn't hold before it: got exp/);
  });

  test("one node for two inputs", () => {
    const graph = traceGraph({ x }, ({ x }) => ({ outputs: { y: ops.neg(x) } }));
    const twice = { ...graph, inputs: [...graph.inputs, { ...graph.inputs[0], name: "again" }] };
    expect(() => graphHash(twice)).toThrow(/two inputs are one node: got again/);
  });
});

describe("vectors", () => {
  // Golden on purpose: these hashes change only together with the numerics id or the encoding's prefix.
  test("are as committed", () => {
    expect(plain()).toBe("83a0bad07146d658c83d17a88f9bd50eb9be521ddb25555b3009fb4e646a38ab");
    expect(graphHash(step())).toBe("0dcce7b29ac8f23221e4cd21344e56729860e9b6f62ceb3f95978abcb8ddd596");
    expect(graphHash(step(2n ** 64n - 1n))).toBe("455988c82d0a63778f799d1121f31c6ea19e8bfc3a082a9c063b40ae451ca9a3");
  });

  test("another process gives the same", () => {
    const script = `
      import { graphHash } from "./src/compile/hash.ts";
      import { traceGraph } from "./test/support/graphs.ts";
      import * as ops from "./src/ops/elementwise.ts";
      import "./src/ops/movement.ts";
      ops.neg((await import("./src/ops/creation.ts")).fromValues([1]));
      const graph = traceGraph({ x: { shape: [2, 3], dtype: "float32" } }, ({ x }) => ({ outputs: { y: ops.add(ops.mul(x, 2), 1) } }));
      console.log(graphHash(graph));`;
    const out = execFileSync("npx", ["tsx", "--input-type=module", "-e", script], { cwd: root, encoding: "utf8" });
    expect(out.trim()).toBe(plain());
  });
});

test("a graph prints with its draws, attributes, special numbers and results", () => {
  const graph = traceGraph({ x: { dtype: "float32", shape: [2] } }, ({ x }) => ({
    outputs: { y: ops.mul(ops.add(x, -0), uniform([2])) },
    watched: { total: sum(x) },
  }));
  expect(printGraph(graph)).toBe(`%0 = input "x" float32[2]
%1 = full(value=-0, dtype="float32") float32[]
%2 = broadcastTo(%1, shape=[2]) float32[2]
%3 = add(%0, %2) float32[2]
%4 = randomWords(draws=[0, 2)) uint32[2]
%5 = uniformFromWords(%4) float32[2]
%6 = mul(%3, %5) float32[2]
%7 = sum(%0, axes=[0]) float32[]
return "y" %6
return "total" %7`);
});
