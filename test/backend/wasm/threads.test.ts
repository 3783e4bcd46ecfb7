// Threads of the wasm backend: a worker that fails ends in a BackendError, waiting costs nothing, and a program that is done ends.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import {
  atomics,
  call,
  type FunctionBuilder,
  i32,
  type Local,
  ModuleBuilder,
  memory,
} from "../../../src/backend/wasm/assembler/assembler.ts";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import { phasePrinter } from "../../../src/backend/wasm/runtime/chunks.ts";
import { sleepFunction } from "../../../src/backend/wasm/runtime/control.ts";
import { Memory, maximumPages } from "../../../src/backend/wasm/runtime/memory.ts";
import { Pool, threadCount } from "../../../src/backend/wasm/runtime/pool.ts";
import { lower } from "../../../src/compile/lower.ts";
import { BackendError } from "../../../src/core/errors.ts";
import { exp } from "../../../src/ops/elementwise.ts";
import { script } from "../../support/cli.ts";
import { traceGraph } from "../../support/graphs.ts";

/** A program as plans are: one phase of so many chunks. */
function program(
  chunks: number,
  each: (run: FunctionBuilder, chunk: Local<"i32">, part: Local<"i32">, sleep: FunctionBuilder) => void,
): WebAssembly.Module {
  const module = new ModuleBuilder({ sharedMaximum: maximumPages });
  const run = module.function("run", ["i32", "i32", "i32", "i32", "i32"], ["i32"], { exported: true });
  const [, control, part, parts, first] = run.parameters as Local<"i32">[];
  const sleep = sleepFunction(module);
  const printer = phasePrinter(run, { control, part, parts, first, status: 0 });
  run.block((leave) =>
    printer.print(leave, { chunks, number: 0, skips: 1, each: (chunk) => each(run, chunk, part, sleep) }),
  );
  run.emit(printer.outcome);
  return new WebAssembly.Module(module.encode());
}

async function started(parts: number) {
  const store = new Memory({ shared: true });
  const pool = new Pool(store, parts);
  await pool.start();
  const load = async (module: WebAssembly.Module) => {
    const id = await pool.add(module, 0);
    const instance = new WebAssembly.Instance(module, { environment: { memory: store.memory } });
    const run = instance.exports.run as (...args: number[]) => number;
    return (pause = 0) => {
      const first = pool.begin(id);
      for (const start = performance.now(); performance.now() - start < pause; );
      return run(0, pool.control, 0, parts, first);
    };
  };
  return { store, pool, load };
}

test("every chunk is done, every time, and seen by the calling thread", async () => {
  const { store, pool, load } = await started(4);
  const address = store.allocate(64);
  const cell = (chunk: Local<"i32">) => i32.add(address, i32.shl(chunk, 2));
  const count = await load(
    program(4, (run, chunk) => run.emit(i32.store(cell(chunk), i32.add(i32.load(cell(chunk)), 1)))),
  );
  const empty = await load(program(1, () => {}));
  for (let round = 0; round < 500; round++) {
    expect(count()).toBe(0);
    expect(empty()).toBe(0);
    // A worker falls asleep in between now and then.
    if (round % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect([0, 1, 2, 3].map((chunk) => store.view.getInt32(address + 4 * chunk, true))).toEqual([500, 500, 500, 500]);
  pool.stop();
});

test("a worker that missed a run while it was given a program helps in the next", async () => {
  const { store, pool, load } = await started(2);
  const address = store.allocate(64);
  const quick = await load(program(1, () => {}));
  // The calling thread waits in its first chunk until the worker has one, for two seconds at most.
  const both = program(4, (run, _, part, sleep) =>
    run.when(
      part,
      () => {
        run.emit(atomics.store(address, 1));
        run.drop(atomics.notify(address, -1));
      },
      () => run.drop(call<"i32">(sleep, address, 0, 2_000_000_000n)),
    ),
  );
  for (let round = 0; round < 30; round++) {
    quick();
    const run = await load(both);
    expect(run()).toBe(0);
    expect(store.view.getInt32(address, true)).toBe(1);
    store.view.setInt32(address, 0, true);
  }
  pool.stop();
});

// It fails before the main thread begins, or while that waits for it.
test.each([0, 100])(
  "a worker that traps ends the pool with a BackendError: the main thread %d ms behind",
  async (pause) => {
    const { store, pool, load } = await started(3);
    // Part 2 writes far outside of memory; the others have no end before it has begun.
    const begun = store.allocate(64);
    const run = await load(
      program(12, (run, _, part) =>
        run.when(
          i32.eq(part, 2),
          () => run.emit(atomics.store(begun, 1), memory.fill(-64, 0, 64)),
          () => run.loop((again) => run.branchIf(again, i32.eqz(atomics.load(begun)))),
        ),
      ),
    );
    expect(run(pause)).toBe(1);
    await expect(pool.fail()).rejects.toThrow(/a worker thread has died: got RuntimeError/);
    expect(() => run()).toThrow(BackendError);
    await expect(load(program(1, () => {}))).rejects.toThrow(BackendError);
  },
);

test("a module that a worker can't have is a BackendError, not a wait", async () => {
  const { pool } = await started(2);
  await expect(pool.add({} as WebAssembly.Module, 0)).rejects.toThrow(BackendError);
});

test("how many threads", () => {
  expect(threadCount(3)).toBe(3);
  expect(threadCount("all")).toBeGreaterThanOrEqual(1);
  expect(() => threadCount(0)).toThrow(BackendError);
});

test("plans load side by side", async () => {
  const backend = await wasmBackend({ threads: 3, shareFrom: 0 });
  const graph = traceGraph({ x: { dtype: "float32", shape: [100] } }, ({ x }) => ({ outputs: { y: exp(x) } }));
  const loaded = await Promise.all(Array.from({ length: 8 }, () => backend.load(lower(graph))));
  const [x, y] = [backend.allocate("float32", 100), backend.allocate("float32", 100)];
  for (const executable of loaded) {
    await executable.run({ inputs: [x], outputs: [y], seed: 0n, base: 0 });
    executable.dispose();
  }
  expect((await backend.read(y)).every((value) => value === 1)).toBe(true);
  await backend.dispose();
});

test("a program that is done ends, without dispose, and its threads rest while it waits", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script("wasm_rest")], {
    encoding: "utf8",
    timeout: 60_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { sum, share } = JSON.parse(stdout) as { sum: number; share: number };
  expect(sum).toBe(1000);
  expect(share).toBeLessThan(0.1);
});
