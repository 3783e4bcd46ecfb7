// The GPU.js backends kernel by kernel: what is printed gives the interpreter's bits over any views, shapes and orders, in both modes; what
// can't be printed says so and runs on the interpreter; a mode that isn't the named one is refused.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as e from "../../kernels/expr.ts";
import type { Combine, FoldKernel, KernelInput, LoopKernel } from "../../kernels/kernel.ts";
import { productViews } from "../../kernels/product.ts";
import { contiguousView, coordinateView, transposeView, type View } from "../../kernels/view.ts";
import { gpujsOver } from "../../src/backend/gpujs/backend.ts";
import { facadeOver, type Mode, openGpu, type RawGpu } from "../../src/backend/gpujs/facade.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { byIndex } from "../../src/compile/family.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { BackendError, ShapeError } from "../../src/core/errors.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { scalarFunction } from "../support/expr.ts";
import { expectSameBits, runPlan } from "../support/graphs.ts";
import { anyData, anyView, edges, planOf, type Source, type Unplaced, whole } from "../support/kernels.ts";
import { tape } from "../support/programs.ts";

const modes = ["webasm", "cpu"] as const;
const interpreter = interpretBackend();
const factor = Number(process.env.FUZZ ?? 1);

/** Runs one kernel on the backend and on the interpreter: the same bits, and `where` says who ran it. Gives back the generated source. */
async function holds(backend: Backend, kernel: Unplaced, sources: readonly Source[], where: string, seed = 1) {
  const plan = planOf(kernel, sources);
  const executable = await backend.load(plan);
  const [{ where: actual, source }] = executable.sources;
  executable.dispose();
  const told = () => `${JSON.stringify(kernel, (_, value) => (Object.is(value, -0) ? "-0" : value))}\n${source}`;
  if (actual !== where) expect.fail(`ran on ${actual}, expected ${where}: ${told()}`);
  for (const plain of [false, true]) {
    const inputs = sources.map((each, i) => anyData(each, seed + i, { plain }));
    const [expected] = await runPlan(interpreter, plan, inputs);
    const [got] = await runPlan(backend, plan, inputs);
    try {
      expectSameBits(got, expected, kernel.kind);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${told()}`);
    }
  }
  return source;
}

/** Any body over the inputs, of float32 or bool. */
function anyBody(inputs: readonly KernelInput[], pick: (below: number) => number): e.Expr {
  const floats: e.Expr[] = [e.constant([0, -0, 0.1, -3, Infinity][pick(5)])];
  const bools: e.Expr[] = [];
  inputs.forEach(({ source, dtype }, i) => {
    const leaf = e.input(i, dtype);
    if (source === "coordinate") {
      bools.push(e.lt(leaf, pick(4)));
      floats.push(e.toFloat32(leaf));
    } else if (dtype === "uint32") floats.push(e.high16(leaf), e.low16(leaf));
    else (dtype === "bool" ? bools : floats).push(leaf);
  });
  const float = () => floats[floats.length - 1 - pick(floats.length)];
  const bool = () => (bools.length ? bools[bools.length - 1 - pick(bools.length)] : e.lt(float(), float()));
  const comparisons = [e.lt, e.le, e.eq, e.ne, e.gt, e.ge];
  for (let left = 2 + pick(8); left > 0; left--) {
    const x = float();
    switch (pick(12)) {
      case 0:
        floats.push([e.neg, e.abs, e.sqrt, e.floor][pick(4)](x));
        break;
      case 1: {
        const n = e.floor(x);
        floats.push(e.pow2(e.select(e.ge(n, -126), e.select(e.le(n, 127), n, 127), -126)));
        break;
      }
      case 2: {
        const size = e.abs(x);
        const normal = e.and(e.ge(size, 2 ** -126), e.lt(size, Infinity));
        floats.push(e.exponent(e.select(normal, size, 1)));
        break;
      }
      case 3:
      case 4:
      case 5:
      case 6:
        floats.push([e.add, e.sub, e.mul, e.div][pick(4)](x, float()));
        break;
      case 7:
        floats.push(e.select(bool(), x, float()));
        break;
      case 8:
        bools.push(comparisons[pick(6)](x, float()));
        break;
      case 9:
        bools.push([e.and, e.or][pick(2)](bool(), bool()));
        break;
      case 10:
        bools.push(e.not(bool()));
        break;
      default:
        floats.push(e.toFloat32(bool()));
    }
  }
  return pick(4) === 0 ? bool() : floats[floats.length - 1];
}

/** Any inputs over a shape, and the arrays behind them. */
function anyInputs(shape: Shape, pick: (below: number) => number): { inputs: KernelInput[]; sources: Source[] } {
  const sources: Source[] = [];
  const inputs = Array.from({ length: 1 + pick(4) }, (): KernelInput => {
    const kind = pick(6);
    if (kind === 0 && shape.length)
      return { source: "coordinate", dtype: "int32", view: coordinateView(shape, pick(shape.length)) };
    const dtype = kind === 1 ? "uint32" : kind === 2 ? "bool" : "float32";
    const { view, size } = pick(3) ? anyView(shape, pick) : { view: contiguousView(shape), size: sizeOf(shape) };
    return { source: sources.push({ dtype, size }) - 1, dtype, view };
  });
  return { inputs, sources };
}

const choices = fc.array(fc.nat(5000), { minLength: 30, maxLength: 90 });
const anyShape = (pick: (below: number) => number, rank: number): Shape =>
  Array.from({ length: pick(rank + 1) }, () => 1 + pick(5));

/** The words that a printed kernel may hold beside names that the printers number, and what it must not hold. */
const vocabulary =
  /^(function|let|for|return|this|thread|Math|fround|floor|sqrt|abs|x|total|part|at|best|found|place|better)$/;
const numbered = /^(k|p|b|c|n|r|(at|[cs])[ft]|a\d+[hl]?|[vd]([ftn]|l\d+x)?\d+r?|i\d+r?|[psx]\d+|(at|in)\d+)$/;

function expectSafe(source: string): void {
  for (const name of source.match(/[A-Za-z_$][\w$]*/g) ?? []) {
    if (!vocabulary.test(name) && !numbered.test(name)) expect.fail(`${name} in ${source}`);
  }
  for (const number of source.match(/(?<![\w.])[\d.]+(e[-+]?\d+)?/g) ?? []) {
    if (number !== "0.5" && !(Number.isInteger(Number(number)) && Number(number) < 2 ** 24))
      expect.fail(`${number} in ${source}`);
  }
  expect(source).not.toMatch(/%|\||&|<<|>>|\*\*|"|'|`/);
}

describe.each(modes)("gpujs:%s", (mode) => {
  const name = `gpujs:${mode}`;
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
  });
  afterAll(() => backend.dispose());

  test("is class A, on one thread", () => {
    expect([backend.name, backend.class, backend.threads]).toEqual([name, "A", 1]);
  });

  test("every operation at every pair of edges, against a scalar reading", async () => {
    const pairs = edges.flatMap((a) => edges.map((b) => [a, b]));
    const inputs = [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i]));
    const [a, b] = [e.input(0, "float32"), e.input(1, "float32")];
    const bodies: e.Expr[] = [
      ...[e.neg, e.abs, e.sqrt, e.floor].map((op) => op(a)),
      ...[e.add, e.sub, e.mul, e.div, e.lt, e.le, e.eq, e.ne, e.gt, e.ge].map((op) => op(a, b)),
      e.select(e.lt(a, b), a, b),
      e.select(e.not(e.ge(a, b)), e.neg(b), -0),
      e.neg(e.sub(a, b)),
      e.mul(e.neg(a), e.neg(b)),
      e.toFloat32(e.or(e.lt(a, b), e.eq(a, b))),
      e.add(a, 0),
      e.sub(-0, a),
    ];
    for (const body of bodies) {
      const shape = [pairs.length];
      const kernel: Unplaced = {
        kind: "loop",
        dtype: body.type === "bool" ? "bool" : "float32",
        shape,
        inputs: [whole(0, shape), whole(1, shape)],
        body,
      };
      const plan = planOf(
        kernel,
        [0, 1].map(() => ({ dtype: "float32", size: pairs.length })),
      );
      const meaning = scalarFunction(body);
      const results = pairs.map((_, i) => meaning(inputs[0][i], inputs[1][i]));
      const expected: TypedArray = body.type === "bool" ? Uint8Array.from(results) : Float32Array.from(results);
      expectSameBits((await runPlan(backend, plan, inputs))[0], expected, JSON.stringify(body));
    }
  });

  test("every operation rounds before the next", async () => {
    const shape = [1000];
    const [a, b, c] = [0, 1, 2].map((i) => e.input(i, "float32"));
    const firsts = [e.add(a, b), e.sub(a, b), e.mul(a, b), e.div(a, b), e.sqrt(e.abs(a))];
    for (const first of firsts) {
      for (const body of [
        e.add(first, c),
        e.sub(c, first),
        e.mul(first, c),
        e.div(c, first),
        e.lt(first, e.mul(c, b)),
      ]) {
        const inputs = [0, 1, 2].map((i) => whole(i, shape));
        const dtype = body.type === "bool" ? "bool" : "float32";
        const sources = inputs.map((): Source => ({ dtype: "float32", size: 1000 }));
        await holds(backend, { kind: "loop", dtype, shape, inputs, body }, sources, name);
      }
    }
  });

  test("powers of two and exponents, all of them", async () => {
    const shape = [254];
    const powers = Float32Array.from({ length: 254 }, (_, i) => i - 126);
    const x = e.input(0, "float32");
    for (const body of [e.pow2(x), e.exponent(e.mul(e.pow2(x), 1.9999999)), e.exponent(e.pow2(x))]) {
      const kernel: Unplaced = { kind: "loop", dtype: "float32", shape, inputs: [whole(0, shape)], body };
      const plan = planOf(kernel, [{ dtype: "float32", size: 254 }]);
      const [expected] = await runPlan(interpreter, plan, [powers]);
      expectSameBits((await runPlan(backend, plan, [powers]))[0], expected, JSON.stringify(body));
    }
  });

  test("maps of any body over any views", async () => {
    await fc.assert(
      fc.asyncProperty(choices, async (numbers) => {
        const { pick } = tape(numbers);
        const shape = anyShape(pick, 4);
        const { inputs, sources } = anyInputs(shape, pick);
        const body = anyBody(inputs, pick);
        const dtype = body.type === "bool" ? "bool" : "float32";
        const source = await holds(backend, { kind: "loop", dtype, shape, inputs, body }, sources, name, pick(1000));
        expectSafe(source!);
      }),
      { numRuns: 150 * factor },
    );
  });

  const counts = [1, 2, 15, 16, 17, 255, 256, 257, 1023, 1024, 1025, 2050];
  const combines: readonly Combine[] = ["sum", "max", "min", "argmax", "argmin"];
  test.each(combines)("%s at the edges of lanes, chunks and blocks, in both orders", async (combine) => {
    for (const order of ["lanes", "chunks"] as const) {
      for (const count of counts) {
        const kernel: Unplaced<FoldKernel> = {
          kind: "loop",
          dtype: combine.startsWith("arg") ? "int32" : "float32",
          shape: [3],
          fold: { reduced: [count], order, combine },
          inputs: [whole(0, [3, count])],
          body: e.input(0, "float32"),
        };
        expectSafe((await holds(backend, kernel, [{ dtype: "float32", size: 3 * count }], name, count))!);
        // Ties of zeros of both signs.
        const plan = planOf(kernel, [{ dtype: "float32", size: 3 * count }]);
        const zeros = Float32Array.from({ length: 3 * count }, (_, i) => ((i * 7) % 3 === 1 ? 0 : -0));
        const [expected] = await runPlan(interpreter, plan, [zeros]);
        expectSameBits((await runPlan(backend, plan, [zeros]))[0], expected, `${combine} ${order} ${count}`);
      }
    }
  });

  test("reductions of any body over any views", async () => {
    await fc.assert(
      fc.asyncProperty(choices, async (numbers) => {
        const { pick } = tape(numbers);
        const [shape, reduced] = [anyShape(pick, 2), [...anyShape(pick, 2), [1, 3, 40, 300][pick(4)]]];
        const { inputs, sources } = anyInputs([...shape, ...reduced], pick);
        const body = anyBody(inputs, pick);
        const combine = combines[pick(5)];
        const order = pick(2) ? "lanes" : "chunks";
        const dtype = combine.startsWith("arg") ? "int32" : "float32";
        const kernel: Unplaced = {
          kind: "loop",
          dtype,
          shape,
          fold: { reduced, order, combine },
          inputs,
          body: body.type === "bool" ? e.toFloat32(body) : body,
        };
        await holds(backend, kernel, sources, name, pick(1000));
      }),
      { numRuns: 60 * factor },
    );
  });

  test("a reduction of one input reads that one, whichever it is", async () => {
    const kernel: Unplaced = {
      kind: "loop",
      dtype: "float32",
      shape: [3],
      fold: { reduced: [20], order: "lanes", combine: "max" },
      inputs: [whole(0, [3, 20]), whole(1, [3, 20]), whole(2, [3, 20])],
      body: e.input(1, "float32"),
    };
    const source = { dtype: "float32", size: 60 } as const;
    await holds(backend, kernel, [source, source, source], name, 3);
  });

  test("products of any views, at the edges of chunks", async () => {
    await fc.assert(
      fc.asyncProperty(choices, fc.constantFrom(1, 2, 7, 255, 256, 257, 512, 515), async (numbers, depth) => {
        const { pick } = tape(numbers);
        const batch = anyShape(pick, 2);
        const [rows, columns] = [1 + pick(5), 1 + pick(9)];
        const plain = (shape: Shape): { view: View; size: number } => {
          const { view } = anyView(shape, pick);
          const unbound = { ...view, offset: 0, bounds: shape.map(() => null) };
          const ends = shape.map((extent, axis) => (extent - 1) * view.strides[axis]);
          const least = ends.reduce((sum, end) => sum + Math.min(0, end), 0);
          return {
            view: { ...unbound, offset: -least },
            size: ends.reduce((sum, end) => sum + Math.max(0, end), 1 - least),
          };
        };
        const [a, b] = [plain([...batch, rows, depth]), plain([...batch, depth, columns])];
        const kernel: Unplaced<LoopKernel> = {
          kind: "loop",
          dtype: "float32",
          shape: [...batch, rows, columns],
          inputs: productViews(a.view, b.view).map((view, source) => ({ source, dtype: "float32", view })),
          body: e.mul(e.input(0, "float32"), e.input(1, "float32")),
          fold: { reduced: [depth], order: "chunks", combine: "sum" },
        };
        const sources = [a, b].map(({ size }): Source => ({ dtype: "float32", size }));
        expectSafe((await holds(backend, kernel, sources, name, pick(1000)))!);
      }),
      { numRuns: 40 * factor },
    );
  });

  /** A view without bounds over a shape, and how many elements its source needs. */
  const plainView = (shape: Shape, pick: (below: number) => number): { view: View; size: number } => {
    const strides = shape.map(() => pick(9) - 3);
    const ends = shape.map((extent, axis) => (extent - 1) * strides[axis]);
    const offset = ends.reduce((sum, end) => sum + Math.max(0, -end), pick(3));
    const size = ends.reduce((sum, end) => sum + Math.max(0, end), offset) + 1;
    return { view: { shape, strides, offset, bounds: shape.map(() => null) }, size };
  };

  test("gathers and scatters by any views, on any axis", async () => {
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), async (numbers, gathers) => {
        const { pick } = tape(numbers);
        const narrow = [...anyShape(pick, 3), 1 + pick(5)];
        const axis = pick(narrow.length);
        const [extent, count] = [1 + pick(6), 1 + pick(9)];
        const along = (length: number) => narrow.map((each, i) => (i === axis ? length : each));
        const dtype = gathers && pick(4) === 0 ? "bool" : "float32";
        const indices = pick(2) ? plainView(along(count), pick) : undefined;
        const values = plainView(along(gathers ? extent : count), pick);
        const at: KernelInput = {
          source: 0,
          dtype: "int32",
          view: indices?.view ?? contiguousView(along(count)),
        };
        const read: KernelInput = { source: 1, dtype, view: values.view };
        const shape = along(gathers ? count : extent);
        const kernel: Unplaced = gathers
          ? { kind: "loop", dtype, shape, inputs: [byIndex(read, axis, at)], body: e.input(0, dtype) }
          : { kind: "scatter", combine: "sum", dtype, shape, axis, inputs: [at, read] };
        const plan = planOf(kernel, [
          { dtype: "int32", size: indices?.size ?? sizeOf(along(count)) },
          { dtype, size: values.size },
        ]);
        const executable = await backend.load(plan);
        const [{ where, source }] = executable.sources;
        executable.dispose();
        expect(where).toBe(name);
        expectSafe(source!);
        const data = [
          Int32Array.from({ length: plan.values[0].size }, () => pick(extent)),
          anyData({ dtype, size: values.size }, pick(1000)),
        ];
        const [expected] = await runPlan(interpreter, plan, data);
        expectSameBits((await runPlan(backend, plan, data))[0], expected, source!);
        // A bad index is the interpreter's error where it is read, and no error where it isn't.
        (data[0] as Int32Array)[pick(data[0].length)] = pick(2) ? extent : -1;
        const failure = await runPlan(interpreter, plan, data).catch((error: Error) => error);
        const got = await runPlan(backend, plan, data).catch((error: Error) => error);
        if (failure instanceof Error) {
          expect(got).toBeInstanceOf(ShapeError);
          expect((got as Error).message).toBe(failure.message);
        } else expectSameBits((got as TypedArray[])[0], failure[0], source!);
      }),
      { numRuns: 60 * factor },
    );
  });

  test("a scatter of many updates to many places, and a gather of integers, are the interpreter's", async () => {
    const scatter = (rows: number, count: number): Unplaced => ({
      kind: "scatter",
      combine: "sum",
      dtype: "float32",
      shape: [rows],
      axis: 0,
      inputs: [whole(0, [count], "int32"), whole(1, [count])],
    });
    for (const [rows, count, where] of [
      [2048, 2047, name],
      [2048, 2048, "interpreter"],
    ] as const) {
      const plan = planOf(scatter(rows, count), [
        { dtype: "int32", size: count },
        { dtype: "float32", size: count },
      ]);
      const executable = await backend.load(plan);
      executable.dispose();
      expect(executable.sources[0].where).toBe(where);
    }
    const gather: Unplaced = {
      kind: "loop",
      dtype: "int32",
      shape: [2],
      inputs: [byIndex(whole(0, [3], "int32"), 0, whole(1, [2], "int32"))],
      body: e.input(0, "int32"),
    };
    const plan = planOf(
      gather,
      [3, 2].map((size) => ({ dtype: "int32", size })),
    );
    const big = Int32Array.of(2 ** 31 - 1, 2 ** 24 + 1, -5);
    expect((await runPlan(backend, plan, [big, Int32Array.of(1, 0)]))[0]).toEqual(
      Int32Array.of(2 ** 24 + 1, 2 ** 31 - 1),
    );
  });

  test("integer work and empty arrays are the interpreter's", async () => {
    const i = e.input(0, "int32");
    const map = (shape: Shape, body: e.Expr, input: KernelInput): Unplaced => ({
      kind: "loop",
      dtype: body.type,
      shape,
      inputs: [input],
      body,
    });
    const ints: Source[] = [{ dtype: "int32", size: 6 }];
    const integer = whole(0, [6], "int32");
    for (const body of [e.mul(i, i), e.toFloat32(i), e.lt(i, 5), e.toInt32(e.constant(2.5))])
      await holds(backend, map([6], body, integer), ints, "interpreter");
    const coordinate: KernelInput = { source: "coordinate", dtype: "int32", view: coordinateView([6], 0) };
    await holds(backend, map([6], i, coordinate), [], "interpreter");
    const word = e.input(0, "uint32");
    await holds(backend, map([6], word, whole(0, [6], "uint32")), [{ dtype: "uint32", size: 6 }], "interpreter");
    const empty = { view: { ...contiguousView([2, 3]), bounds: [[0, 0] as const, null] }, source: 0 } as const;
    await holds(
      backend,
      map([2, 3], e.neg(e.input(0, "float32")), { ...empty, dtype: "float32" }),
      [{ dtype: "float32", size: 0 }],
      "interpreter",
    );
    await holds(
      backend,
      map([0, 3], e.neg(e.input(0, "float32")), whole(0, [0, 3])),
      [{ dtype: "float32", size: 0 }],
      "interpreter",
    );
    await holds(backend, { kind: "loop", dtype: "float32", shape: [4], inputs: [], body: e.constant(-0) }, [], name);
  });

  test("indices that float32 doesn't hold are the interpreter's", async () => {
    const where = async (shape: Shape, view: View, size: number) => {
      const body = e.neg(e.input(0, "float32"));
      const inputs = [{ source: 0, dtype: "float32", view } as const];
      const plan = planOf({ kind: "loop", dtype: "float32", shape, inputs, body }, [{ dtype: "float32", size }]);
      const executable = await backend.load(plan);
      executable.dispose();
      return executable.sources[0].where;
    };
    const strided = (stride: number): View => ({ shape: [3], strides: [stride], offset: 0, bounds: [null] });
    expect(await where([3], strided(2 ** 23), 2 ** 24 + 1)).toBe("interpreter");
    expect(await where([3], strided(2 ** 23 - 1), 2 ** 24)).toBe(name);
    const turned = (shape: Shape) => transposeView(contiguousView(shape), [1, 0]);
    expect(await where([4096, 4096], turned([4096, 4096]), 2 ** 24)).toBe("interpreter");
    expect(await where([4097, 4095], turned([4095, 4097]), 2 ** 24 - 1)).toBe(name);
    expect(await where([2 ** 28], contiguousView([2 ** 28]), 2 ** 28)).toBe("interpreter");
    expect(await where([2 ** 27], contiguousView([2 ** 27]), 2 ** 27)).toBe(name);
  });
});

describe("large arrays", () => {
  const run = async (view: View, shape: Shape, body: e.Expr) => {
    const backend = await loadBackend("gpujs:webasm");
    const inputs = [{ source: 0, dtype: "float32", view } as const];
    const plan = planOf({ kind: "loop", dtype: "float32", shape, inputs, body }, [
      { dtype: "float32", size: sizeOf(shape) },
    ]);
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = i % 16777213;
    const [out] = await runPlan(backend, plan, [data]);
    await backend.dispose();
    return { data, out };
  };

  test("read in order are right beyond 2²⁴ elements", async () => {
    const shape = [2 ** 24 + 5];
    const { data, out } = await run(contiguousView(shape), shape, e.neg(e.input(0, "float32")));
    expect(data.findIndex((x, i) => out[i] !== -x)).toBe(-1);
  });

  test("turned are right up to the last index that float32 holds", async () => {
    const [rows, columns] = [4095, 4097];
    const view = transposeView(contiguousView([rows, columns]), [1, 0]);
    const { data, out } = await run(view, [columns, rows], e.input(0, "float32"));
    let wrong = 0;
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < rows; j++) if (out[i * rows + j] !== data[j * columns + i]) wrong++;
    expect(wrong).toBe(0);
  });
});

describe("the mode is the one that was named", () => {
  const fake = (mode: string, fallbackReason: string | null = null, fail?: Error) => {
    const destroyed: string[] = [];
    const kernels: unknown[] = [];
    const gpu: RawGpu = {
      kernels,
      createKernel(source) {
        const inner = { constructor: { mode }, fallbackReason };
        const run = () => {
          if (fail) throw fail;
          return new Float32Array(4);
        };
        kernels.push(inner);
        return Object.assign(run, { kernel: inner, destroy: () => void destroyed.push(source) });
      },
      destroy() {},
    };
    return { gpu, destroyed, kernels };
  };
  const x = new Float32Array(4);
  const shape = [4];
  const plan = planOf(
    { kind: "loop", dtype: "float32", shape, inputs: [whole(0, shape)], body: e.neg(e.input(0, "float32")) },
    [{ dtype: "float32", size: 4 }],
  );

  test("another mode, or a reason to fall back, is a BackendError", async () => {
    const cases: [Mode, RawGpu][] = [
      ["webasm", fake("cpu").gpu],
      ["cpu", fake("webasm").gpu],
      ["webasm", fake("webasm", "graphical mode is not supported").gpu],
    ];
    for (const [mode, gpu] of cases) {
      expect(() => facadeOver(gpu, mode).kernel("f", 4, [4]).run(x)).toThrow(BackendError);
      await expect(runPlan(gpujsOver(facadeOver(gpu, mode), mode), plan, [x])).rejects.toThrow(/another mode/);
    }
    expect(facadeOver(fake("cpu").gpu, "cpu").kernel("f", 4, [4]).run(x)).toEqual(new Float32Array(4));
  });

  test("GPU.js itself falling back is a BackendError", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { GPU } = (await import("gpu.js")) as unknown as { GPU: new (settings: object) => RawGpu };
    const gpu = new GPU({ mode: "webasm" });
    const falling: RawGpu = {
      // Kernel maps are what webasm hands to cpu.
      createKernel(source, settings) {
        const made = gpu.createKernel(source, settings);
        (made as unknown as { kernel: { subKernels: object[] } }).kernel.subKernels = [
          { source: "function other(a) { return a; }", property: "other", name: "other" },
        ];
        return made;
      },
      destroy: () => gpu.destroy(),
    };
    const kernel = facadeOver(falling, "webasm").kernel("function (a0) { return a0[this.thread.x]; }", 4, [4]);
    expect(() => kernel.run(x)).toThrow(/another mode.*got cpu/);
    // A message on the console is all that GPU.js itself makes of it.
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
  });

  test("what GPU.js throws is a BackendError with its cause", async () => {
    const fail = new RangeError("no memory");
    const kernel = facadeOver(fake("webasm", null, fail).gpu, "webasm").kernel("f", 4, [4]);
    let caught: unknown;
    try {
      kernel.run(x);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(BackendError);
    expect((caught as BackendError).cause).toBe(fail);
    const real = (await openGpu("webasm")).kernel("function (a0) { return nowhere(a0); }", 4, [4]);
    expect(() => real.run(x)).toThrow(BackendError);
  });

  test("where there is no more memory, kernels make room for each other, and are compiled anew", () => {
    const alive = new Set<object>();
    let compiled = 0;
    const gpu: RawGpu = {
      createKernel(source) {
        const inner = { constructor: { mode: "webasm" } };
        compiled++;
        const run = () => {
          if (alive.size >= 3 && !alive.has(inner)) throw new RangeError("could not allocate memory");
          alive.add(inner);
          return Float32Array.of(source.length);
        };
        return Object.assign(run, { kernel: inner, destroy: () => void alive.delete(inner) });
      },
      destroy() {},
    };
    const facade = facadeOver(gpu, "webasm");
    const held = ["a", "bb", "ccc", "dddd", "eeeee"].map((source) => facade.kernel(source, 1, [1]));
    for (let step = 0; step < 2; step++)
      expect(held.map((kernel) => (kernel.run(x) as Float32Array)[0])).toEqual([1, 2, 3, 4, 5]);
    expect(alive.size).toBeLessThanOrEqual(3);
    expect(compiled).toBeGreaterThan(5);
    for (const kernel of held) kernel.release();
  });

  test("modes that depend on the device are refused by name", async () => {
    for (const name of ["gpujs:webgl2", "gpujs:headlessgl"])
      await expect(loadBackend(name)).rejects.toThrow(/not certified/);
    for (const name of ["gpujs", "gpujs:gpu", "gpujs:async"])
      await expect(loadBackend(name)).rejects.toThrow(BackendError);
  });

  test("kernels are shared while they are held, and given back", () => {
    const { gpu, destroyed, kernels } = fake("webasm");
    const facade = facadeOver(gpu, "webasm");
    const [first, second] = [facade.kernel("f", 4, [4]), facade.kernel("f", 4, [4])];
    expect(kernels.length).toBe(1);
    facade.kernel("f", 4, [5]);
    facade.kernel("f", 5, [4]);
    expect(kernels.length).toBe(3);
    first.release();
    first.release();
    for (let i = 0; i < 100; i++) facade.kernel(`g${i}`, 4, [4]).release();
    expect(destroyed).toEqual(Array.from({ length: 36 }, (_, i) => `g${i}`));
    second.release();
    facade.kernel("f", 4, [4]);
    expect(kernels.length).toBe(3 + 63);
  });
});
