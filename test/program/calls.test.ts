// When a compiled call takes what it depends on: when it is made. Only its execution waits for its turn.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { DTypeError, ShapeError, StreamError, TraceError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { autocast } from "../../src/ops/autocast.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { onExecute, runtimeScalar } from "../../src/program/trace.ts";
import { Variable } from "../../src/program/variable.ts";
import { ambientStream, manualSeed, Stream, withStream } from "../../src/rng/stream.ts";
import { currentBackend, setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

const names = ["reference", "wasm", "gpujs:cpu"];
const waits = [0, 1, 3, 60];

beforeAll(async () => {
  manualSeed(0);
  await setDefaultBackend("reference");
});
afterAll(async () => {
  await setDefaultBackend("reference");
});

const owner = (variables: Record<string, Variable>) => ({ namedVariables: () => Object.entries(variables) });
const microtasks = async (count: number) => {
  for (let i = 0; i < count; i++) await null;
};
/** Takes an index: 0, 1, 2 are right. */
const picked = (index: Tensor) => sg.take(sg.tensor([10, 20, 30]), index);
const at = (...indices: number[]) => sg.tensor(Int32Array.from(indices));

describe.each(names)("on %s", (name) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await loadBackend(name);
    await setDefaultBackend(backend);
  });

  test.each(waits)("draws are in the order of the program, %d microtasks between", async (wait) => {
    manualSeed(7);
    const [first, second] = [await sg.uniform([2]).data(), await sg.uniform([2]).data()];
    manualSeed(7);
    const f = compile(() => sg.uniform([2]), { backend });
    const called = f();
    await microtasks(wait);
    const drawn = sg.uniform([2]);
    expect([await (await called).data(), await drawn.data()]).toEqual([first, second]);
  });

  test("a call of which an argument can't be computed leaves no memory behind", async () => {
    const live = new Set<object>();
    const counted = new Proxy(backend, {
      get(target, key) {
        if (key === "allocate")
          return (...args: Parameters<Backend["allocate"]>) => {
            const buffer = target.allocate(...args);
            live.add(buffer);
            return buffer;
          };
        if (key === "free")
          return (buffer: Parameters<Backend["free"]>[0]) => {
            live.delete(buffer);
            target.free(buffer);
          };
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const v = new Variable(sg.tensor([1, 2]));
    const f = compile(
      (before: Tensor, x: Tensor) => {
        v.assign(v.add(before));
        return x.add(1);
      },
      { state: owner({ v }), backend: counted },
    );
    const bad = picked(at(9));
    const refused = () => expect(f(v, bad)).rejects.toThrow(/^take: an index is out of range/);
    await refused();
    const held = live.size;
    await refused();
    expect(live.size).toBe(held);
    expect(await (await f(v, picked(at(2)))).data()).toEqual(Float32Array.of(31));
    expect(await v.data()).toEqual(Float32Array.of(2, 4));
  });

  test.each(waits)("a call reads the version that it was made on, %d microtasks before an assignment", async (wait) => {
    for (const written of [false, true]) {
      const v = new Variable(sg.tensor([1, 2]));
      const f = compile(
        (x: Tensor) => {
          const sum = v.add(x);
          if (written) v.assign(sum);
          return sum;
        },
        { state: owner({ v }), backend },
      );
      await f(sg.zeros([2]));
      const called = f(sg.tensor([5, 5]));
      await microtasks(wait);
      v.assign(sg.tensor([100, 100]));
      const later = f(sg.tensor([1, 1]));
      v.load(Float32Array.of(7, 8));
      expect(await (await called).array()).toEqual([6, 7]);
      expect(await (await later).array()).toEqual([101, 101]);
      expect(await v.array()).toEqual([7, 8]);
    }
  });

  test("calls that aren't awaited read what those before them wrote, and so does a tensor made between", async () => {
    const v = new Variable(sg.tensor([1]));
    const double = compile(
      () => {
        v.assign(v.mul(2));
        return v.add(0);
      },
      { state: owner({ v }), backend },
    );
    const one = double();
    const between = v.add(100).data();
    const two = double();
    const three = double();
    expect(await v.array()).toEqual([8]);
    const results = await Promise.all([one, two, three]);
    expect(await Promise.all(results.map((result) => result.item()))).toEqual([2, 4, 8]);
    expect(await between).toEqual(Float32Array.of(102));
  });

  test("a host array can be used again once the call is made", async () => {
    const f = compile((x: Tensor) => x.mul(1), { backend });
    const data = Float32Array.of(1, 2);
    const host = { data, shape: [2], dtype: "float32" } as unknown as Tensor;
    const results: Promise<Tensor>[] = [];
    for (let i = 0; i < 4; i++) {
      data.fill(i);
      results.push(f(host));
      await microtasks(i);
    }
    data.fill(-1);
    expect(await Promise.all(results.map(async (result) => (await result).array()))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  test("a variable that is state and argument at once is the argument's old value throughout", async () => {
    const v = new Variable(sg.tensor([1, 2, 3, 4]));
    const f = compile(
      (x: Tensor) => {
        v.assign(v.mul(10));
        return sg.flip(x, [0]).add(v);
      },
      { state: owner({ v }), backend },
    );
    await f(v);
    expect(await (await f(v)).array()).toEqual([100 + 40, 200 + 30, 300 + 20, 400 + 10]);
  });

  test("state after a call that a bad index ended is untouched, the steps too, and the next call goes on from there", async () => {
    manualSeed(1);
    const v = new Variable(sg.tensor([1, 2, 3]));
    const layer = nn.linear(2, 2);
    const optimizer = optim.adam(layer.parameters(), { learningRate: 0.1 });
    const f = compile(
      (index: Tensor) => {
        v.assign(v.add(1));
        optimizer.update(gradients(layer.forward(sg.ones([1, 2])).sum(), optimizer.parameters));
        return picked(index);
      },
      { state: [owner({ v }), layer, optimizer], backend },
    );
    const before = await layer.weight.data();
    await expect(f(at(5))).rejects.toThrow(ShapeError);
    expect(await v.array()).toEqual([1, 2, 3]);
    expect(await layer.weight.data()).toEqual(before);
    expect(optimizer.steps).toBe(0);
    const standing = v.mul(1);
    await expect(f(at(-1))).rejects.toThrow(/index/);
    expect(await standing.array()).toEqual([1, 2, 3]);
    expect(await (await f(at(2))).array()).toEqual([30]);
    expect(await v.array()).toEqual([2, 3, 4]);
    expect(optimizer.steps).toBe(1);
  });

  test("calls made on what a failing call would have written aren't run; others are", async () => {
    const [v, w] = [new Variable(sg.tensor([1])), new Variable(sg.tensor([10]))];
    const state = owner({ v });
    const f = compile(
      (index: Tensor) => {
        v.assign(v.add(1));
        return picked(index);
      },
      { state, backend },
    );
    const onBoth = compile(
      () => {
        w.assign(w.add(v));
        return w.mul(1);
      },
      { state: owner({ v, w }), backend },
    );
    const alone = compile(() => sg.ones([1]), { backend });
    await f(at(0));
    await compile(() => w.mul(1), { state: owner({ w }), backend })();
    const [standing, unread] = [w.mul(1), w.mul(2)];
    const calls = [f(at(1)), f(at(9)), f(at(1)), onBoth(), alone()];
    const read = w.add(0).data();
    const outcomes = await Promise.allSettled([...calls, read]);
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, false, false, false, true, false]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : ""));
    expect(reasons[2]).toMatch(/a call before it on the same state failed/);
    expect(reasons[5]).toMatch(/that call failed/);
    expect([await v.item(), await w.item(), await standing.item()]).toEqual([3, 10, 10]);
    expect(await (await onBoth()).item()).toBe(13);
    await expect(unread.data()).rejects.toThrow(/overwritten/);
  });
});

test("autocast around a call is autocast around its function", async () => {
  const f = compile((x: Tensor, y: Tensor) => x.matmul(y));
  const x = sg.tensor([[1 / 3]]);
  const eager = await autocast("bfloat16", () => x.matmul(x).item());
  const plain = await (await f(x, x)).item();
  expect(await (await autocast("bfloat16", () => f(x, x))).item()).toBe(eager);
  expect(await (await f(x, x)).item()).toBe(plain);
  expect(plain).not.toBe(eager);
});

test("a call draws from the stream that is ambient where it is made", async () => {
  const f = compile(() => sg.uniform([2]));
  const stream = new Stream(5n);
  manualSeed(5);
  const want = await sg.uniform([2]).data();
  manualSeed(6);
  const got = await withStream(stream, () => f());
  expect(await got.data()).toEqual(want);
  expect([stream.position, ambientStream().position]).toEqual([2, 0]);
});

test("the default backend is the one that was set when the call was made", async () => {
  const seen: string[] = [];
  const watched = async (name: string) => {
    const inner = await loadBackend(name);
    return new Proxy(inner, {
      get(target, key) {
        const value = target[key as keyof Backend] as unknown;
        if (key === "load")
          return (plan: Parameters<Backend["load"]>[0]) => {
            seen.push(name);
            return target.load(plan);
          };
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const [one, other] = [await watched("reference"), await watched("wasm")];
  await setDefaultBackend(one);
  const f = compile((x: Tensor) => x.add(1));
  const call = f(sg.tensor([0]));
  await setDefaultBackend(other);
  await call;
  expect(seen).toEqual(["reference"]);
  await setDefaultBackend("reference");
});

test("a default backend that can't be loaded leaves the one before", async () => {
  const before = await setDefaultBackend("reference");
  await expect(setDefaultBackend("no such")).rejects.toThrow(/unknown backend/);
  expect(currentBackend()).toBe(before);
});

test("one backend for a name, traced once", async () => {
  let traces = 0;
  const count = (x: Tensor) => {
    traces++;
    return x.add(1);
  };
  const f = compile(count, { backend: "wasm", strict: false });
  const g = compile((x: Tensor) => x.mul(2), { backend: "wasm" });
  const v = new Variable(sg.tensor([1, 2]));
  for (let i = 0; i < 3; i++) expect(await (await f(await g(v))).array()).toEqual([3, 5]);
  expect(traces).toBe(1);
});

test("scalars and callbacks are read when a call is made", async () => {
  let [rate, executions] = [1, 0];
  const f = compile((x: Tensor) => {
    onExecute(() => {
      executions++;
      return () => executions--;
    });
    return x.mul(runtimeScalar("rate", () => rate));
  });
  const one = f(sg.ones([1]));
  expect(executions).toBe(1);
  rate = 2;
  const two = f(sg.ones([1]));
  rate = 3;
  expect([await (await one).item(), await (await two).item()]).toEqual([1, 2]);
  expect(executions).toBe(2);
});

describe("a promise where a value was meant", () => {
  const ended: unknown[] = [];
  const note = (reason: unknown) => ended.push(reason);
  beforeAll(() => {
    process.on("unhandledRejection", note);
  });
  afterAll(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", note);
    expect(ended).toEqual([]);
  });
  const late = async (): Promise<never> => {
    await null;
    throw new Error("too late");
  };

  test("is refused from a compiled function, and its rejection ends no process", async () => {
    await expect(compile(late)()).rejects.toThrow(/the compiled function is async/);
    const reads = compile((async (x: Tensor) => x.add(await x.item())) as unknown as (x: Tensor) => Tensor);
    await expect(reads(sg.zeros([1]))).rejects.toThrow(TraceError);
  });

  test("is refused from a scalar's provider and from onExecute", async () => {
    const position = ambientStream().position;
    const scalar = compile(() => sg.uniform([1]).mul(runtimeScalar("rate", late as unknown as () => number)));
    await expect(scalar()).rejects.toThrow(/runtimeScalar rate: no number was provided: got a promise/);
    const text = compile(() => sg.tensor(1).mul(runtimeScalar("rate", () => "1" as unknown as number)));
    await expect(text()).rejects.toThrow(/got string/);
    const callback = compile(() => {
      onExecute(late);
      return sg.uniform([1]);
    });
    await expect(callback()).rejects.toThrow(/the callback is async/);
    expect(ambientStream().position).toBe(position);
    expect(() => runtimeScalar("rate", late as unknown as () => number)).toThrow(TraceError);
    expect(() => onExecute(late)).toThrow(TraceError);
  });

  test("is refused from the bodies of autocast and withStream, unless all was taken in them", async () => {
    expect(() => autocast("bfloat16", late)).toThrow(DTypeError);
    expect(() => withStream(new Stream(1n), late)).toThrow(StreamError);
    expect(await withStream(new Stream(1n), () => sg.uniform([1]).item())).toBeLessThan(1);
  });
});

describe("gradients by a variable that was given memory since the output was made", () => {
  const x = () => sg.tensor([1, 2, 3]);

  test("are those of before, not zeros; uses on both sides of it add up", async () => {
    const w = new Variable(sg.uniform([3]));
    const before = w.mul(x()).sum();
    const f = compile((y: Tensor) => w.add(y), { state: owner({ w }) });
    await f(x());
    expect(await gradients(before, [w])[0].array()).toEqual([1, 2, 3]);
    const after = w.mul(10).sum();
    expect(await gradients(before.add(after), [w])[0].array()).toEqual([11, 12, 13]);
    expect(await gradients(after, [w])[0].array()).toEqual([10, 10, 10]);
  });

  test("and go on to what its value was made from", async () => {
    const a = sg.tensor([2]);
    const w = new Variable(a.mul(3));
    const output = w.mul(w).sum();
    await compile((y: Tensor) => w.add(y), { state: owner({ w }) })(a);
    const [byA, byW] = gradients(output, [a, w]);
    expect([await byA.item(), await byW.item()]).toEqual([36, 12]);
  });

  test("a version that was written over is another, which nothing has any more: an error", async () => {
    const w = new Variable(sg.uniform([3]));
    const before = w.mul(x()).sum();
    await before.item();
    await compile((y: Tensor) => w.assign(w.add(y)), { state: owner({ w }) })(x());
    expect(() => gradients(before, [w])).toThrow(/the variable had before it was assigned/);
  });
});

test("a peek takes its scalars and host arrays when it is asked for", async () => {
  let rate = 1;
  const data = new Float32Array([1]);
  const scaled = compile((x: Tensor) => x.mul(runtimeScalar("rate", () => rate)));
  const peek = scaled.peek({ data, shape: [1], dtype: "float32" } as unknown as Tensor);
  rate = 2;
  data[0] = 2;
  expect((await peek).inputs.map((input) => [...input])).toEqual([[1], [1]]);
});
