// Compiled functions: one graph for all steps, state in place, draws relative to a base, and what a trace refuses.
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError, TraceError } from "../../src/core/errors.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { onExecute, runtimeScalar, watch } from "../../src/program/trace.ts";
import { Variable } from "../../src/program/variable.ts";
import { manualSeed, Stream } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import { scan } from "../../src/tensor/scan.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});

const cell = (initial: Tensor) => {
  const variable = new Variable(initial);
  return { variable, namedVariables: () => [["buffer/x", variable] as const] };
};

test("a variable where its owner is meant is refused, with what gives it a name", () => {
  const count = new Variable(sg.zeros([]));
  for (const state of [count, [count]])
    expect(() => compile(() => count.add(1), { state: state as never })).toThrow(
      /^compile.state: it isn't a module, an optimizer, or a list of them: .*\nHint: a variable has its name from what owns it: a module, or state: \{ namedVariables/,
    );
});

describe("arguments and results", () => {
  test("tensors, numbers, host arrays, in records and arrays", async () => {
    const f = compile((a: { x: Tensor; k: Tensor }, [b]: Tensor[], mode: string) => ({
      sum: a.x.mul(a.k).add(b),
      same: [b],
      mode,
    }));
    const host = { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } as const;
    const out = await f({ x: sg.tensor([1, 2]), k: 3 }, [host], "m");
    expect(await out.sum.array()).toEqual([4, 8]);
    expect(await out.same[0].array()).toEqual([1, 2]);
    expect(out.mode).toBe("m");
    const again = await f({ k: 0.5, x: sg.tensor([1, 2]) }, [host], "m");
    expect(await again.sum.array()).toEqual([1.5, 3]);
  });

  test("a host array whose elements aren't of its dtype or shape is refused, in the first call and in later ones", async () => {
    const given = (data: unknown, dtype: unknown = "float32") => ({ data, dtype, shape: [2] }) as unknown as Tensor;
    const wrong: [Tensor, RegExp][] = [
      [
        given(Int32Array.of(3, 4)),
        /^compile: the host array at 0 isn't of its type: got Int32Array\[2\], expected float32\[2\]/,
      ],
      [given(Float64Array.of(3, 4)), /got Float64Array\[2\], expected float32/],
      [given(Float32Array.of(3)), /got Float32Array\[1\], expected float32\[2\]/],
      [given(Float32Array.of(3, 4), "float64"), /got Float32Array\[2\], expected float64/],
      [given(Float64Array.of(3, 4), "float64"), /got Float64Array\[2\], expected float64/],
      [given(BigInt64Array.of(3n, 4n), "int32"), /got BigInt64Array\[2\], expected int32/],
    ];
    for (const backend of ["wasm", "reference"]) {
      const f = compile((x: Tensor) => x.add(x), { backend });
      for (const [host, message] of wrong) await expect(f(host)).rejects.toThrow(message);
      expect(await (await f(given(Float32Array.of(3, 4)))).array()).toEqual([6, 8]);
      await expect(f(wrong[0][0])).rejects.toThrow(wrong[0][1]);
      await expect(f(wrong[1][0])).rejects.toThrow(wrong[1][1]);
      expect(await (await f(given(Float32Array.of(3, 4)))).array()).toEqual([6, 8]);
      const bytes = compile((x: Tensor) => x.cast("int32"), { backend });
      await expect(bytes(given(Uint8Array.of(1, 3), "bool"))).rejects.toThrow(/got Uint8Array\[2\], expected bool/);
      expect(await (await bytes(given(Uint8Array.of(1, 0), "bool"))).array()).toEqual([1, 0]);
      await expect(bytes(given(Uint8Array.of(1, 3), "bool"))).rejects.toThrow(/got Uint8Array\[2\], expected bool/);
    }
  });

  test("a signature is traced for its first call alone; another shape or string makes another graph", async () => {
    let traces = 0;
    const messages: string[] = [];
    const f = compile(
      (x: Tensor, mode: string) => {
        traces++;
        return mode === "twice" ? x.mul(2) : x.add(1);
      },
      { name: "f", strict: false, log: (message) => messages.push(message) },
    );
    await f(sg.zeros([2]), "twice");
    await f(sg.ones([2]), "twice");
    expect(traces).toBe(1);
    await f(sg.zeros([3]), "twice");
    await f(sg.zeros([2]), "once");
    expect(traces).toBe(3);
    const g = compile((x: Tensor, mode: string) => (mode === "twice" ? x.mul(2) : x.add(1)), {
      name: "g",
      log: (message) => messages.push(message),
    });
    await g(sg.zeros([2]), "twice");
    expect(messages.map((message) => message.split(" ").slice(0, 3).join(" "))).toEqual([
      "made compiled graph",
      "made compiled graph",
      "made compiled graph",
      "found compiled graph",
    ]);
  });

  test("every part of the arguments' form counts, and no order of keys", async () => {
    let traces = 0;
    const count = (given: Record<string, unknown>) => {
      traces++;
      return (given.x as Tensor).mul(1);
    };
    const f = compile(count, { strict: false });
    const x = sg.zeros([2]);
    const host = { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" };
    await f({ x, list: [1, [true]], none: undefined });
    await f({ none: undefined, list: [5, [true]], x: sg.ones([2]) });
    expect(await (await f({ list: [1, [true]], none: undefined, x: host })).array()).toEqual([1, 2]);
    expect(traces).toBe(1);
    const others = [
      { x, list: [1, [false]], none: undefined },
      { x, list: [1, [true, true]], none: undefined },
      { x, list: [1, [true]], none: null },
      { x, list: [1, [true]] },
      { x, list: [x, [true]], none: undefined },
      { x, list: { 0: 1, 1: [true] }, none: undefined },
      { x: sg.zeros([2], "int32"), list: [1, [true]], none: undefined },
      { x: sg.zeros([2, 1]), list: [1, [true]], none: undefined },
      { x, list: [1, [true]], other: undefined },
    ];
    for (const [i, other] of others.entries()) {
      await f(other);
      expect(traces).toBe(2 + i);
    }
  });

  test("what a function can't take or give", async () => {
    await expect(compile((x: Tensor) => x)(new Map() as unknown as Tensor)).rejects.toThrow(TraceError);
    await expect(compile((async (x: Tensor) => x) as unknown as (x: Tensor) => Tensor)(sg.zeros([1]))).rejects.toThrow(
      /async/,
    );
    const short = { data: Float32Array.of(1), shape: [2], dtype: "float32" } as const;
    await expect(compile((x: Tensor) => x)(short)).rejects.toThrow(ShapeError);
    const self: Record<string, Tensor> = { x: sg.zeros([1]) };
    self.self = self as unknown as Tensor;
    const message =
      /^compile: a value that a compiled function can't take or give, at .*self\/self.*: got Object, expected .*at most 64 deep$/;
    await expect(compile(({ x }: typeof self) => x)(self)).rejects.toThrow(message);
    await expect(compile(() => self)()).rejects.toThrow(message);
    expect(() => scan((carry) => [carry, null], self, sg.zeros([2]))).toThrow(message);
  });
});

describe("state", () => {
  test("is read and assigned in place, run after run", async () => {
    const owner = cell(sg.tensor([1, 1]));
    const step = compile(
      (x: Tensor) => {
        owner.variable.assign(owner.variable.add(x));
        return owner.variable.sum();
      },
      { state: owner },
    );
    expect(await (await step(sg.tensor([1, 2]))).item()).toBe(5);
    expect(await (await step(sg.tensor([1, 2]))).item()).toBe(8);
    expect(await owner.variable.array()).toEqual([3, 5]);
  });

  test("another variable in the place of one is noticed", async () => {
    const owner = {
      ...cell(sg.tensor([1])),
      get namedVariables() {
        return () => [["buffer/x", this.variable] as const];
      },
    };
    const step = compile(
      () => {
        owner.variable.assign(owner.variable.add(1));
        return owner.variable.mul(1);
      },
      { state: owner },
    );
    expect(await (await step()).array()).toEqual([2]);
    const before = owner.variable;
    owner.variable = new Variable(sg.tensor([10]));
    expect(await (await step()).array()).toEqual([11]);
    expect(await before.array()).toEqual([2]);
    expect(await owner.variable.array()).toEqual([11]);
  });

  test("law 8: a tensor made from an overwritten version throws; one read before keeps its value", async () => {
    const owner = cell(sg.tensor([1]));
    const step = compile(
      () => {
        owner.variable.assign(owner.variable.add(1));
        return [];
      },
      { state: owner },
    );
    await step();
    const pending = owner.variable.mul(10);
    const read = owner.variable.mul(100);
    await read.data();
    await step();
    await expect(pending.data()).rejects.toThrow(/overwritten/);
    expect(await read.array()).toEqual([200]);
    expect(await owner.variable.array()).toEqual([3]);
  });

  test("assigning outside is lazy and checked", async () => {
    const v = new Variable(sg.tensor([1, 2]));
    const before = v.mul(1);
    v.assign(v.add(10));
    expect(await v.array()).toEqual([11, 12]);
    expect(await before.array()).toEqual([1, 2]);
    expect(() => v.assign(sg.zeros([3]))).toThrow(ShapeError);
    expect(() => v.assign(sg.zeros([2], "int32"))).toThrow(/dtype/);
    v.load(Float32Array.of(5, 6));
    expect(await v.array()).toEqual([5, 6]);
    const flag = new Variable(sg.tensor([true, false]));
    expect(() => flag.load(Uint8Array.of(0, 2))).toThrow(/an element that bool can't hold: got 2, expected 0 or 1/);
  });

  test("two cells swap without losing a value", async () => {
    const [a, b] = [new Variable(sg.tensor([1])), new Variable(sg.tensor([2]))];
    const state = {
      namedVariables: () =>
        [
          ["a", a],
          ["b", b],
        ] as const,
    };
    const swap = compile(
      () => {
        const old = a.add(0);
        const [x, y] = [b.mul(1), old];
        a.assign(x);
        b.assign(y);
        return [];
      },
      { state },
    );
    await swap();
    expect([await a.item(), await b.item()]).toEqual([2, 1]);
    const cross = compile(
      () => {
        const [x, y] = [sg.reshape(a, [1]), sg.reshape(b, [1])];
        a.assign(y);
        b.assign(x);
        return [];
      },
      { state },
    );
    await cross();
    expect([await a.item(), await b.item()]).toEqual([1, 2]);
  });

  test("a variable that isn't listed throws", async () => {
    const v = new Variable(sg.tensor([1]));
    await expect(compile(() => v.add(1))()).rejects.toThrow(/isn't in the compiled function's state/);
  });
});

describe("law 3: a compiled step is the same graph every step", () => {
  test("draws are relative to a base: new ones each step, one hash", async () => {
    const stream = new Stream(5n);
    const draw = compile(() => sg.uniform([3]), { stream });
    const one = await draw.execute([]);
    const two = await draw.execute([]);
    expect([one.base, two.base, one.draws, stream.position]).toEqual([0, 3, 3, 6]);
    expect(one.graphHash).toBe(two.graphHash);
    manualSeed(5);
    const [a, b] = [sg.uniform([3]), sg.uniform([3])];
    expect(await one.result.data()).toEqual(await a.data());
    expect(await two.result.data()).toEqual(await b.data());
    const again = await draw.execute([], { base: 0 });
    expect(await again.result.data()).toEqual(await a.data());
    expect(stream.position).toBe(6);
  });

  test("another seed, another hash", async () => {
    const hash = async (seed: bigint) =>
      (await compile(() => sg.uniform([3]), { stream: new Stream(seed) }).execute([])).graphHash;
    expect(await hash(1n)).toBe(await hash(1n));
    expect(await hash(1n)).not.toBe(await hash(2n));
  });

  test("tracing never moves the stream", async () => {
    const stream = new Stream(5n);
    const draw = compile(() => sg.uniform([3]), { stream, strict: true });
    await draw.trace();
    await draw.plan();
    expect(stream.position).toBe(0);
  });

  test("reading a value inside throws, with a hint", async () => {
    const read = (method: "data" | "array" | "item" | "format" | "realize") =>
      compile((x: Tensor) => {
        void x[method]();
        return x;
      })(sg.zeros([1]));
    for (const method of ["data", "array", "item", "format", "realize"] as const) {
      await expect(read(method)).rejects.toThrow(
        new RegExp(`^${method}: a value was read while tracing[\\s\\S]*where`),
      );
    }
  });

  test("a compiled function called in another is an error of that one, whether or not it is awaited", async () => {
    const inner = compile((x: Tensor) => x.mul(2), { name: "inner" });
    const message = /^inner: a compiled function was called while tracing\nHint: call what it was compiled of/;
    const calls: ((x: Tensor) => unknown)[] = [inner, inner.trace, inner.plan, (x) => inner.execute([x])];
    for (const call of calls) {
      const outer = compile((x: Tensor) => {
        void call(x);
        return x;
      });
      await expect(outer(sg.zeros([2]))).rejects.toThrow(message);
    }
  });

  test("captured tensors are constants by content", async () => {
    manualSeed(3);
    const captured = sg.uniform([2]);
    const hash = async (c: Tensor) => (await compile((x: Tensor) => x.add(c)).execute([sg.zeros([2])])).graphHash;
    const value = sg.tensor((await captured.data()) as Float32Array);
    expect(await hash(captured)).toBe(await hash(value));
    expect(await hash(captured)).not.toBe(await hash(sg.zeros([2]).add(1)));
  });

  test("a tensor from outside that is only returned is one too", async () => {
    manualSeed(3);
    const outside = sg.uniform([2]);
    const { c, y } = await compile((x: Tensor) => ({ c: outside, y: x.add(1) }))(sg.zeros([2]));
    expect(await c.data()).toEqual(await outside.data());
    expect(await y.array()).toEqual([1, 1]);
  });
});

describe("runtime scalars and watching", () => {
  test("a scalar is read anew each time and isn't in the hash", async () => {
    let rate = 0.1;
    let executions = 0;
    const f = compile((x: Tensor) => {
      onExecute(() => executions++);
      return x.mul(runtimeScalar("rate", () => rate));
    });
    const one = await f.execute([sg.ones([1])]);
    rate = 0.2;
    const two = await f.execute([sg.ones([1])]);
    expect([await one.result.item(), await two.result.item()]).toEqual([Math.fround(0.1), Math.fround(0.2)]);
    expect(one.graphHash).toBe(two.graphHash);
    expect(executions).toBe(2);
  });

  test("law 10: watching changes neither hash nor bits", async () => {
    const run = async (watching: boolean) => {
      const f = compile((x: Tensor) => {
        const y = x.exp();
        if (watching) watch("norm", y.mul(y).sum());
        return y.sum();
      });
      return f.execute([sg.tensor([1, 2])]);
    };
    const [with_, without] = [await run(true), await run(false)];
    expect(with_.graphHash).toBe(without.graphHash);
    expect(await with_.result.item()).toBe(await without.result.item());
    expect(await with_.watched.norm.item()).toBeGreaterThan(0);
    expect(Object.keys(without.watched)).toEqual([]);
  });
});

test("a step of gradient descent, compiled and by hand, to the bit", async () => {
  const owner = cell(sg.tensor([0.3, -0.7]));
  const loss = (w: Tensor, x: Tensor) => w.mul(x).sub(1).mul(w.mul(x).sub(1)).mean();
  const step = compile(
    (x: Tensor) => {
      const value = loss(owner.variable, x);
      const [g] = gradients(value, [owner.variable]);
      owner.variable.assign(owner.variable.sub(g.mul(0.1)));
      return value;
    },
    { state: owner },
  );
  let w = sg.tensor([0.3, -0.7]);
  const x = sg.tensor([1.5, 2.5]);
  for (let i = 0; i < 3; i++) {
    const compiled = await step(x);
    const value = loss(w, x);
    expect(await compiled.item()).toBe(await value.item());
    const [g] = gradients(value, [w]);
    w = w.sub(g.mul(0.1));
  }
  expect(await owner.variable.data()).toEqual(await w.data());
});

test("a variable among the results is what it holds after the call, and stays that", async () => {
  const [v, kept] = [new Variable(sg.tensor([1, 2])), new Variable(sg.tensor([5]))];
  const state = { namedVariables: () => Object.entries({ v, kept }) };
  const step = compile(
    () => {
      v.assign(v.add(1));
      return { v, kept };
    },
    { state, strict: true },
  );
  const results = [await step(), await step()];
  expect(await Promise.all(results.map((each) => each.v.array()))).toEqual([
    [2, 3],
    [3, 4],
  ]);
  expect(await results[0].kept.array()).toEqual([5]);
  const unlisted = compile(() => v);
  await expect(unlisted()).rejects.toThrow(/isn't in the compiled function's state/);
});
