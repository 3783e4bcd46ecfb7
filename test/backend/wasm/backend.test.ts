// The wasm backend by itself: its memory, its errors, buffers that move between runs, and extents at the edges of its blocks and tiles.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadBackend } from "../../../src/backend/load.ts";
import { referenceBackend } from "../../../src/backend/reference.ts";
import { call, i32, type Local, ModuleBuilder } from "../../../src/backend/wasm/assembler/assembler.ts";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import { kernelFunction, share } from "../../../src/backend/wasm/emit/context.ts";
import { scalarLanes, simdLanes } from "../../../src/backend/wasm/emit/lanes.ts";
import { probe } from "../../../src/backend/wasm/probe.ts";
import { Memory } from "../../../src/backend/wasm/runtime/memory.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { DType } from "../../../src/core/dtype.ts";
import { BackendError, ShapeError } from "../../../src/core/errors.ts";
import type { Shape } from "../../../src/core/shape.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { Node } from "../../../src/graph/node.ts";
import * as activations from "../../../src/ops/activations.ts";
import { greater } from "../../../src/ops/compare.ts";
import { dropout, softmax } from "../../../src/ops/composite.ts";
import { broadcastTo } from "../../../src/ops/define.ts";
import * as ops from "../../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../../src/ops/gather.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { slice, swapAxes, transpose } from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { normal, permutation, randint, uniform } from "../../../src/ops/random.ts";
import { argmax, argmin, max, sum } from "../../../src/ops/reduce.ts";
import { noLocals } from "../../../src/schedule/places.ts";
import { arrayOf, expectSameBits, runPlan, testData, traceGraph } from "../../support/graphs.ts";

const reference = referenceBackend();

const add3 = (a: Node, b: Node, c: Node) => ops.add(ops.add(broadcastTo(a, c.shape), broadcastTo(b, c.shape)), c);

/** One computation on both backends, bit for bit. */
async function agrees(backend: Backend, shapes: readonly Shape[], build: (...inputs: Node[]) => Node): Promise<void> {
  const ports = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { dtype: "float32" as DType, shape }]));
  const plan = lower(
    traceGraph(ports, (nodes) => ({ outputs: { y: build(...shapes.map((_, i) => nodes[`x${i}`])) } })),
  );
  const inputs = shapes.map((shape, i) => testData(shape, "float32", [-1, 1], i + 1).data);
  const [expected] = await runPlan(reference, plan, inputs, 5);
  const [actual] = await runPlan(backend, plan, inputs, 5);
  expectSameBits(actual, expected, `[${shapes.join("] [")}]`);
}

test("by name, with threads", async () => {
  const one = await loadBackend("wasm");
  const three = await loadBackend("wasm", { threads: 3 });
  expect([one.name, one.class, one.threads, three.threads]).toEqual(["wasm", "A", 1, 3]);
  await one.dispose();
  await three.dispose();
});

test("the probe looks at a subnormal sum", () => {
  expect(probe()).toEqual({ simd: true, reason: "SIMD keeps subnormals" });
  expect(probe(true)).toMatchObject({ simd: false });
});

test("a number of threads that is none is a BackendError", async () => {
  for (const threads of [0, -1, 1.5, 65, Number.NaN])
    await expect(wasmBackend({ threads })).rejects.toThrow(BackendError);
});

describe("memory", () => {
  test("blocks are zeroed, aligned, given back, joined and grown", () => {
    const memory = new Memory({ shared: false });
    const sizes = [1, 64, 65, 1000, 70_000, 0];
    const blocks = sizes.map((bytes) => memory.allocate(bytes));
    const ends = blocks.map((address, i) => address + Math.max(1, sizes[i]));
    expect(blocks.every((address) => address % 64 === 0 && address > 0)).toBe(true);
    blocks.forEach((address, i) => {
      for (let j = 0; j < i; j++) expect(address >= ends[j] || ends[i] <= blocks[j]).toBe(true);
    });
    new Uint8Array(memory.memory.buffer, blocks[4], 70_000).fill(7);
    const before = memory.memory.buffer.byteLength;
    for (const i of [3, 5, 1, 4, 0, 2]) memory.free(blocks[i], sizes[i]);
    // All in one piece again, and zeroed.
    const whole = memory.allocate(71_000);
    expect(new Uint8Array(memory.memory.buffer, whole, 71_000).every((byte) => byte === 0)).toBe(true);
    expect(memory.memory.buffer.byteLength).toBe(before);
    memory.allocate(10_000_000);
    expect(memory.memory.buffer.byteLength).toBeGreaterThan(10_000_000);
  });

  test("more than there can be is a BackendError", () => {
    const memory = new Memory({ shared: false });
    expect(() => memory.allocate(2 ** 33)).toThrow(BackendError);
  });

  test("elements of each type come back as they were", async () => {
    const backend = await wasmBackend();
    for (const [dtype, values] of [
      ["float32", [1.5, -0, Number.NaN, 2 ** -149]],
      ["int32", [-(2 ** 31), 2 ** 31 - 1, 0]],
      ["uint32", [2 ** 32 - 1, 1]],
      ["bool", [1, 0, 1, 1, 1]],
    ] as const) {
      const data = arrayOf(dtype, values);
      const buffer = backend.allocate(dtype, data.length);
      expectSameBits(
        await backend.read(buffer),
        arrayOf(
          dtype,
          values.map(() => 0),
        ),
        `${dtype} zeros`,
      );
      backend.write(buffer, data);
      expectSameBits(await backend.read(buffer), data, dtype);
      backend.free(buffer);
    }
  });
});

describe("misuse is a BackendError", () => {
  test.each(["float32", "int32", "uint32", "bool"] as const)(
    "a %s tensor of 2²⁹ elements, before memory is asked for",
    async (dtype) => {
      const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
      try {
        const backend = await wasmBackend();
        const message = /wasm: a tensor is too large: got 536870912 elements.* expected fewer than 2\^29 elements/;
        expect(() => backend.allocate(dtype, 2 ** 29)).toThrow(BackendError);
        expect(() => backend.allocate(dtype, 2 ** 29)).toThrow(message);
        const refused = async (build: (x: Node) => Node, shape: Shape) => {
          const graph = traceGraph({ x: { dtype, shape } }, ({ x }) => ({ outputs: { y: build(x) } }));
          await expect(backend.load(lower(graph))).rejects.toThrow(message);
        };
        await refused((x) => slice(x, [[0, 3]]), [2 ** 29]);
        await refused((x) => broadcastTo(x, [2 ** 9, 2 ** 10, 2 ** 10]), [2 ** 10]);
        expect(grow).not.toHaveBeenCalled();
      } finally {
        grow.mockRestore();
      }
    },
  );

  test("a reduction over 2²⁹ elements that are nowhere in memory", async () => {
    const backend = await wasmBackend();
    const build = (x: Node) => sum(broadcastTo(x, [2 ** 14, 2 ** 15]));
    const graph = traceGraph({ x: { dtype: "float32", shape: [] } }, ({ x }) => ({ outputs: { y: build(x) } }));
    await expect(backend.load(lower(graph))).rejects.toThrow(/a reduction is over too many elements/);
  });

  test("a freed buffer, a foreign one, data of another size", async () => {
    const [backend, other] = [await wasmBackend(), await wasmBackend()];
    const buffer = backend.allocate("float32", 3);
    expect(() => backend.write(buffer, new Float32Array(4))).toThrow(BackendError);
    expect(() => other.write(buffer, new Float32Array(3))).toThrow(BackendError);
    backend.free(buffer);
    expect(() => backend.free(buffer)).toThrow(BackendError);
    await expect(backend.read(buffer)).rejects.toThrow(BackendError);
  });
});

test("shares of huge extents among many parts join without gaps", () => {
  const extent = 2 ** 29 - 3;
  const parts = 60_001;
  const module = new ModuleBuilder();
  const context = { module, lanes: simdLanes, single: scalarLanes, localBytes: 0, panelBytes: 0 };
  const told = { kernel: undefined as never, number: 0, listed: [], locals: noLocals, division: undefined };
  const kernel = kernelFunction(context, "share", told);
  const { begin, end } = share(kernel, { axis: 0, extent, grain: 1 });
  kernel.fn.emit(i32.store(kernel.bindings, begin), i32.store(kernel.bindings, end, 4));
  const f = module.function("f", ["i32", "i32"], [], { exported: true });
  const [part, count] = f.parameters as Local<"i32">[];
  f.emit(call(kernel.fn, 0, 0, 0, part, count));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { environment: { memory } });
  const run = instance.exports.f as (part: number, parts: number) => void;
  const view = new DataView(memory.buffer);
  let reached = 0;
  for (let at = 0; at < parts; at++) {
    run(at, parts);
    expect(view.getInt32(0, true)).toBe(reached);
    reached = view.getInt32(4, true);
  }
  expect(reached).toBe(extent);
});

test("buffers may change from run to run, and a disposed plan gives its memory back", async () => {
  const backend = await wasmBackend();
  const graph = traceGraph({ a: { dtype: "float32", shape: [1000] } }, ({ a }) => ({ outputs: { y: ops.mul(a, a) } }));
  const executable = await backend.load(lower(graph));
  for (let round = 0; round < 3; round++) {
    const a = backend.allocate("float32", 1000);
    const y = backend.allocate("float32", 1000);
    backend.write(a, new Float32Array(1000).fill(round + 1));
    await executable.run({ inputs: [a], outputs: [y], seed: 0n, base: 0 });
    expectSameBits(await backend.read(y), new Float32Array(1000).fill((round + 1) ** 2), `round ${round}`);
    if (round !== 1) backend.free(a);
  }
  executable.dispose();
  executable.dispose();
});

test("an index out of range stops the plan before state is written", async () => {
  for (const threads of [1, 3]) {
    const backend = await wasmBackend({ threads, shareFrom: 0 });
    const graph = traceGraph(
      { w: { dtype: "float32", shape: [4] }, index: { dtype: "int32", shape: [6] } },
      ({ w, index }) => {
        const read = gather(w, index, 0);
        return { outputs: { w: ops.add(w, scatterAdd(index, read, 0, 4)) }, state: [["w", "w"]] };
      },
    );
    const executable = await backend.load(lower(graph));
    const w = backend.allocate("float32", 4);
    const index = backend.allocate("int32", 6);
    backend.write(w, arrayOf("float32", [1, 2, 3, 4]));
    const run = async () => executable.run({ inputs: [w, index], outputs: [w], seed: 0n, base: 0 });
    backend.write(index, arrayOf("int32", [0, 1, 2, 3, 7, -1]));
    await expect(run()).rejects.toThrow(ShapeError);
    expectSameBits(await backend.read(w), arrayOf("float32", [1, 2, 3, 4]), "untouched");
    backend.write(index, arrayOf("int32", [0, 0, 1, 3, 3, 3]));
    await run();
    expectSameBits(await backend.read(w), arrayOf("float32", [3, 4, 3, 16]), "the next run is whole");
    await backend.dispose();
  }
});

describe.each([
  ["SIMD", { simd: true }],
  ["scalar", { simd: false }],
  ["3 threads", { threads: 3, shareFrom: 0 }],
] as const)("extents at the edges, %s", (_, options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await wasmBackend(options);
  });
  afterAll(() => backend.dispose());

  test("products: tiles, panels, blocks of 512 columns, chunks of 256 terms", async () => {
    for (const [rows, depth, columns] of [
      [1, 1, 1],
      [3, 5, 7],
      [4, 16, 8],
      [5, 17, 9],
      [9, 255, 11],
      [6, 256, 8],
      [2, 257, 17],
      [7, 515, 13],
      [3, 20, 521],
      [66, 33, 70],
      [300, 18, 20],
    ]) {
      await agrees(
        backend,
        [
          [rows, depth],
          [depth, columns],
        ],
        matmul,
      );
      await agrees(
        backend,
        [
          [rows, depth],
          [columns, depth],
        ],
        (a, b) => matmul(a, transpose(b)),
      );
      await agrees(
        backend,
        [
          [depth, rows],
          [depth, columns],
        ],
        (a, b) => matmul(transpose(a), b),
      );
    }
  });

  test("products in batches, of slices, read sideways", async () => {
    await agrees(
      backend,
      [
        [2, 3, 5, 9],
        [3, 9, 10],
      ],
      matmul,
    );
    await agrees(
      backend,
      [
        [9, 6, 11],
        [9, 11, 5],
      ],
      (a, b) => swapAxes(matmul(a, b)),
    );
    // Heads beside each other in a row: the longest of the batch's axes is shared out.
    await agrees(
      backend,
      [
        [10, 19, 3, 8],
        [10, 18, 3, 8],
      ],
      (a, b) => matmul(swapAxes(a, 1, 2), swapAxes(swapAxes(b, 1, 2))),
    );
    await agrees(
      backend,
      [
        [20, 30],
        [30, 40],
      ],
      (a, b) =>
        matmul(
          slice(a, [
            [1, 18, 3],
            [2, 30, 2],
          ]),
          slice(b, [
            [3, 17],
            [0, 40, 4],
          ]),
        ),
    );
    await agrees(
      backend,
      [
        [16, 20],
        [20, 24],
      ],
      (a, b) => ops.add(transpose(matmul(a, b)), 1),
    );
  });

  test("sums: lanes, blocks of 1024, chunks of 256, columns of 32", async () => {
    for (const extent of [1, 2, 3, 4, 5, 15, 16, 17, 31, 1023, 1024, 1025, 2051]) {
      await agrees(backend, [[3, extent]], (x) => sum(x, { axis: 1 }));
      await agrees(backend, [[extent, 3]], (x) => sum(x, { axis: 0 }));
      await agrees(backend, [[3, extent]], (x) => max(x, { axis: 1 }));
      await agrees(backend, [[extent, 3]], (x) => argmax(x, { axis: 0 }));
    }
    for (const columns of [1, 4, 5, 31, 32, 33, 70]) {
      await agrees(backend, [[257, columns]], (x) => sum(x, { axis: 0 }));
      await agrees(backend, [[3, 300, columns]], (x) => sum(ops.exp(x), { axis: 1 }));
      await agrees(backend, [[5, 7, columns, 3]], (x) => sum(x, { axis: [0, 2] }));
    }
  });

  test("where a row's extreme is: ties, zeros of both signs, infinities, NaN", async () => {
    const values = [1, 2, 2, 0, -0, -3, Infinity, -Infinity, Number.NaN];
    for (const extent of [15, 16, 17, 19, 40, 203]) {
      const rows = 40;
      const data = Float32Array.from({ length: rows * extent }, (_, i) => {
        const row = Math.floor(i / extent);
        // Some rows hold few of the values, so that a tie or a NaN is anywhere in them.
        return values[(Math.imul(i + row * row, 2654435761 + row) % (1 + (row % values.length))) & 15] ?? -5;
      });
      const ints = Int32Array.from({ length: rows * extent }, (_, i) => Math.imul(i, 48271) % (2 + (i % 7)));
      const graph = traceGraph(
        { x: { dtype: "float32", shape: [rows, extent] }, n: { dtype: "int32", shape: [rows, extent] } },
        ({ x, n }) => ({
          outputs: {
            a: argmax(x, { axis: 1 }),
            b: argmin(x, { axis: 1 }),
            c: argmax(n, { axis: 1 }),
            d: argmin(n, { axis: 1 }),
            e: argmax(ops.neg(x)),
          },
        }),
      );
      const plan = lower(graph);
      const expected = await runPlan(reference, plan, [data, ints]);
      const actual = await runPlan(backend, plan, [data, ints]);
      plan.outputs.forEach(({ name }, i) => {
        expectSameBits(actual[i], expected[i], `${extent} ${name}`);
      });
    }
  });

  test("sums to one number: blocks shared out, joined in order", async () => {
    for (const extent of [65_536, 66_559, 69_632, 82_153]) {
      await agrees(backend, [[extent]], (x) => sum(x));
      await agrees(backend, [[extent]], (x) => ops.add(max(ops.mul(x, 3)), sum(ops.exp(x))));
    }
    await agrees(backend, [[130, 131]], (x) => sum(x, { keepDims: true }));
    await agrees(backend, [[130, 131]], (x) => sum(transpose(x)));
  });

  test("transposes large enough to go in tiles, beside other views and in batches", async () => {
    for (const shape of [
      [128, 96],
      [96, 104],
      [104, 90],
    ]) {
      await agrees(backend, [shape, [shape[1], shape[0]], [shape[0]]], (x, y, row) =>
        ops.add(ops.mul(transpose(x), y), row),
      );
    }
    await agrees(backend, [[3, 96, 112]], (x) => ops.exp(transpose(x, [0, 2, 1])));
    await agrees(backend, [[96, 3, 112]], (x) => ops.add(transpose(x, [2, 1, 0]), 1));
    await agrees(backend, [[112, 128]], (x) =>
      ops.add(
        slice(transpose(x), [
          [127, -Infinity, -1],
          [0, 112],
        ]),
        1,
      ),
    );
    await agrees(backend, [[112, 128]], (x) => ops.where(greater(transpose(x), 0), transpose(x), 2));
  });

  test("elements: lengths around 4 and 16, rows, views", async () => {
    for (const extent of [1, 3, 4, 5, 8, 15, 16, 17, 19, 63, 64, 65, 1027]) {
      await agrees(backend, [[extent], [extent]], ops.add);
      await agrees(backend, [[3, extent], [extent]], (a, b) => activations.gelu(ops.mul(a, b)));
      await agrees(backend, [[extent, 5]], (a) => ops.exp(transpose(a)));
      await agrees(backend, [[extent]], (a) => greater(a, 0));
    }
  });

  test("draws 2³² and more apart in one graph", async () => {
    const at = (offset: number, count: number) => ({ offset, count, seed: 7n });
    const words = (offset: number) =>
      new Node({ op: "randomWords", dtype: "uint32", shape: [5], draws: at(offset, 5) });
    const integers = (offset: number) =>
      new Node({
        op: "randint",
        dtype: "int32",
        shape: [5],
        attributes: { low: 0, high: 2 ** 31 },
        draws: at(offset, 10),
      });
    const offsets = [0, 2 ** 32 - 3, 2 ** 32, 2 ** 33 + 1, 2 ** 41, 2 ** 42 + 2 ** 38];
    const outputs = offsets.flatMap((offset) => [words(offset), integers(offset)]);
    const graph: Graph = {
      seed: 7n,
      inputs: [],
      outputs: outputs.map((node, i) => ({ name: String(i), node })),
      watched: [],
      state: [],
      draws: offsets[offsets.length - 1] + 10,
      base: 0,
    };
    const plan = lower(graph);
    const base = 2 ** 40 + 5;
    const expected = await runPlan(reference, plan, [], base);
    for (const options of [{}, { threads: 3, shareFrom: 0 }]) {
      const actual = await runPlan(await wasmBackend(options), plan, [], base);
      actual.forEach((data, i) => {
        expectSameBits(data, expected[i], `draws from ${offsets[i >> 1]}`);
      });
    }
    const first = expected.map((data) => data[0]);
    expect(new Set(first).size).toBe(first.length);
  });

  test("draws in any number of parts", async () => {
    for (const size of [1, 2, 15, 16, 17, 1000]) {
      await agrees(backend, [], () => uniform([size]));
      await agrees(backend, [], () => normal([size], 1, 2));
      await agrees(backend, [], () => randint([size], -5, 100));
      await agrees(backend, [], () => permutation(size));
    }
  });

  test("words in strips: their borders, rows, several ranges in one kernel, masks drawn again, and sums of them", async () => {
    for (const size of [3, 4, 5, 511, 512, 513, 1024, 1025, 5000]) {
      await agrees(backend, [[size]], (x) => dropout(x, 0.3));
      await agrees(backend, [[3, size], [size]], (x, y) => dropout(ops.add(x, y), 0.3));
      await agrees(backend, [[size, 3], [3]], (x, y) => dropout(ops.add(x, y), 0.3));
      await agrees(backend, [[size]], (x) => ops.add(ops.mul(dropout(x, 0.3), dropout(x, 0.6)), uniform([size])));
    }
    await agrees(backend, [[40, 30]], (x) => transpose(dropout(x, 0.5)));
    await agrees(backend, [[40, 30]], (x) =>
      ops.add(
        pad(dropout(x, 0.5), [
          [1, 2],
          [0, 0],
        ]),
        1,
      ),
    );
    await agrees(backend, [[40, 30]], (x) =>
      ops.mul(
        dropout(
          pad(x, [
            [1, 2],
            [3, 1],
          ]),
          0.5,
        ),
        2,
      ),
    );
    await agrees(backend, [[7, 5]], () => add3(uniform([7, 1]), uniform([5]), uniform([7, 5])));
    await agrees(backend, [], () => sum(uniform([9, 700]), { axis: 0 }));
    await agrees(backend, [], () => matmul(uniform([33, 17]), transpose(uniform([9, 17]))));
    await agrees(backend, [[600, 64]], (x) => {
      const y = softmax(x);
      return sum(ops.mul(dropout(y, 0.1), dropout(y, 0.2)), { axis: 1 });
    });
  });
});
