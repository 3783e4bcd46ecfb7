// Loops over tensors that nothing compiles: old versions go, time and memory don't grow with the number of steps, and gradients still go
// through what was read on the way, or the error says that they can't.
import { spawn } from "node:child_process";
import { beforeEach, describe, expect, test } from "vitest";
import { loadBackend } from "../../src/backend/load.ts";
import { GradError } from "../../src/core/errors.ts";
import { horizon } from "../../src/graph/ancestry.ts";
import { reachable } from "../../src/graph/node.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Variable } from "../../src/program/variable.ts";
import { manualSeed, Stream, withStream } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor, uniform } from "../../src/tensor/functions.ts";
import { scan } from "../../src/tensor/scan.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { script } from "../support/cli.ts";

interface Told {
  readonly versions: number;
  readonly most: number;
  readonly heap: number;
  readonly quarters: readonly number[];
}

async function loop(kind: string, steps: number): Promise<Told> {
  const child = spawn(process.execPath, ["--expose-gc", script("eager"), kind, String(steps)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  await new Promise((resolve) => child.on("close", resolve));
  return JSON.parse(out);
}

describe("a loop keeps its newest versions only, and a late step costs what an early one does", () => {
  test.each([
    ["realized", 2400],
    ["losses read", 800],
    ["a variable", 800],
    ["a variable read", 800],
    ["objects of states", 800],
    ["graphs of their own", 800],
  ])("%s, %d steps", async (kind, steps) => {
    const { versions, most, heap, quarters } = await loop(kind, steps);
    expect(versions).toBeLessThanOrEqual(6);
    // Nobody waits for anything but steps, and no 200 MB wait for the collector.
    expect(most).toBeLessThan(800);
    expect(heap).toBeLessThan(12e6);
    expect(Math.min(quarters[2], quarters[3])).toBeLessThan(4 * Math.max(quarters[0], quarters[1]));
  });
});

describe("gradients through what was read", () => {
  beforeEach(async () => {
    await setDefaultBackend("reference");
    manualSeed(3n);
  });

  const collect = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    globalThis.gc?.();
  };
  const chain = (x: Tensor, length: number) => {
    let y = x;
    for (let i = 0; i < length; i++) y = y.mul(1.01).add(x);
    return y;
  };

  test("have the bits of those that nothing was read for", async () => {
    const x = uniform([8]);
    const alone = await gradients(chain(x, 6).exp().sum(), [x])[0].data();
    let y = x;
    for (let i = 0; i < 6; i++) {
      y = y.mul(1.01).add(x);
      await y.data();
      await collect();
    }
    const loss = y.exp().sum();
    await loss.item();
    await collect();
    expect(await gradients(loss, [x])[0].data()).toEqual(alone);
  });

  test("go through draws, variables and gradients themselves", async () => {
    const v = new Variable(uniform([4]));
    const twice = async (read: boolean) => {
      const noise = withStream(new Stream(5n), () => uniform([4]));
      const loss = v.mul(noise).exp().sum();
      if (read) await loss.item();
      const [g] = gradients(loss, [v]);
      if (read) await g.data();
      await collect();
      return gradients(g.mul(g).sum(), [v])[0].data();
    };
    expect(await twice(true)).toEqual(await twice(false));
  });

  test("a node that was read holds none of what it was computed from", async () => {
    const x = uniform([2]);
    const y = x.add(1).mul(2);
    await y.data();
    expect(y.node.isSettled).toBe(true);
    // Asked for, they are there again, and the one that is held is itself.
    const [middle] = y.node.inputs;
    expect(middle.inputs[0]).toBe(x.node);
    expect(middle.id).toBeLessThan(y.node.id);
  });

  test("end where too much lies behind, loudly, and only for what lies there", async () => {
    const [x, unused] = [uniform([2]), uniform([2])];
    let y: Tensor = x;
    const steps = horizon.nodes / 64 + 8;
    for (let i = 0; i < steps; i++) {
      for (let k = 0; k < 32; k++) y = y.mul(1.001);
      await y.data();
    }
    const loss = y.sum();
    expect(() => gradients(loss, [x])).toThrow(GradError);
    expect(() => gradients(loss, [x])).toThrow(/one whose history is no longer kept/);
    expect(await gradients(loss, [unused])[0].array()).toEqual([0, 0]);
    expect(await gradients(loss, [y])[0].array()).toEqual([1, 1]);
    expect(reachable([loss.node]).length).toBeLessThan(horizon.nodes);
  });

  test("look at nothing that was made before what they are asked for", async () => {
    const x = uniform([2]);
    const before = chain(x, 1000);
    const w = before.add(1);
    expect(await gradients(w.mul(w).sum(), [w])[0].data()).toEqual((await w.data()).map((value) => 2 * value));
  });
});

describe("what is computed again", () => {
  test("a loop that reads only its losses gives the bits of one that reads everything", async () => {
    const backend = await loadBackend("wasm");
    await setDefaultBackend(backend);
    const losses = async (realize: boolean) => {
      let w = withStream(new Stream(9n), () => uniform([16]));
      const read: number[] = [];
      for (let i = 0; i < 12; i++) {
        const loss = w.mul(w).mean();
        w = w.sub(gradients(loss, [w])[0].mul(0.3));
        read.push(await loss.item());
        if (realize) await w.realize();
      }
      return read;
    };
    expect(await losses(false)).toEqual(await losses(true));
  });

  test("a disposed ancestor is computed again from what is still known", async () => {
    await setDefaultBackend("reference");
    const x = uniform([4]);
    const y = x.mul(2);
    const first = await y.data();
    x.dispose();
    y.dispose();
    expect(await y.data()).toEqual(first);
  });
});

test("loops that draw, each under another seed, of what was drawn before: the same, read one by one or the last alone", async () => {
  const add = (x: Tensor) =>
    scan((carry: Tensor): [Tensor, null] => [carry.add(uniform([3])), null], x, null, { length: 2 })[0];
  const read = async (one: boolean) => {
    manualSeed(3n);
    let x = uniform([3]);
    for (const seed of [5n, 3n, 7n, 5n]) {
      if (one) await x.data();
      x = withStream(new Stream(seed, 10), () => add(x));
    }
    return gradients(x.mul(x).sum(), [x])[0].data();
  };
  expect(await read(false)).toEqual(await read(true));
});

test("what is drawn under two seeds in turn is computed in two runs, not in one for each turn", async () => {
  const backend = await loadBackend("reference");
  const { load } = backend;
  let runs = 0;
  backend.load = (...given) => {
    runs++;
    return load.apply(backend, given);
  };
  await setDefaultBackend(backend);
  const draw = (i: number) => withStream(new Stream(BigInt(i % 2), 10 * i), () => uniform([2]));
  const sum = Array.from({ length: 20 }, (_, i) => draw(i)).reduce((all, each) => all.add(each));
  const found = await sum.data();
  expect(runs).toBe(2);
  const parts = await Promise.all(Array.from({ length: 20 }, (_, i) => draw(i).data()));
  expect(found).toEqual(parts.reduce((all, each) => all.map((value, i) => value + each[i])));
});

test("a read that throws gives back what it had asked for", async () => {
  const backend = await loadBackend("wasm");
  const { allocate, free } = backend;
  let live = 0;
  backend.allocate = (dtype, size) => {
    live++;
    return allocate.call(backend, dtype, size);
  };
  backend.free = (buffer) => {
    live--;
    free.call(backend, buffer);
  };
  await setDefaultBackend(backend);
  const [table, index] = [tensor([1, 2, 3]), tensor(Int32Array.of(7))];
  await Promise.all([table.mul(1).data(), index.add(0).data()]);
  const before = live;
  for (let i = 0; i < 3; i++) await expect(table.take(index).data()).rejects.toThrow(/out of range/);
  expect(live).toBe(before);
});

describe("a value on another backend", () => {
  test("a variable that is read there has one copy there, which goes when the variable changes", async () => {
    const [home, other] = [await loadBackend("wasm"), await loadBackend("reference")];
    let copies = 0;
    const { allocate, free } = other;
    other.allocate = (dtype, size) => {
      if (size === 1000) copies++;
      return allocate(dtype, size);
    };
    other.free = (buffer) => {
      if (buffer.size === 1000) copies--;
      free(buffer);
    };
    const { compile } = await import("../../src/program/compiled.ts");
    await setDefaultBackend(other);
    const v = new Variable(tensor(new Float32Array(1000).fill(1)));
    const step = compile(() => v.assign(v.add(1)), {
      state: { namedVariables: () => [["v", v] as const] },
      backend: home,
    });
    for (let i = 0; i < 5; i++) {
      await step();
      for (let k = 0; k < 3; k++) expect(await v.sum().item()).toBe(1000 * (i + 2));
    }
    // The constant that it began with, and the copy of now.
    expect(copies).toBeLessThanOrEqual(2);
  });
});
