// A worker that is killed, ends by itself or throws where nothing catches, while it works or rests: a BackendError within a second, never a
// wait; and whatever is wanted of that backend afterwards says the same.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import { control, shareBytes } from "../../../src/backend/wasm/runtime/control.ts";
import type { Backend, Buffer, Executable } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { BackendError } from "../../../src/core/errors.ts";
import { exp } from "../../../src/ops/elementwise.ts";
import { compile } from "../../../src/program/compiled.ts";
import { Variable } from "../../../src/program/variable.ts";
import { Stream } from "../../../src/rng/stream.ts";
import { tensor, zeros } from "../../../src/tensor/functions.ts";
import { traceGraph } from "../../support/graphs.ts";

interface Thread {
  terminate(): Promise<number>;
  once(event: "exit", heard: (code: number) => void): unknown;
}
/** The threads that were started, and what each runs before its own source. */
const started = vi.hoisted(() => ({ threads: [] as Thread[], prelude: "" }));
vi.mock("node:worker_threads", async (original) => {
  const real = await original<typeof import("node:worker_threads")>();
  class Worker extends real.Worker {
    constructor(source: string, options: ConstructorParameters<typeof real.Worker>[1]) {
      super(started.prelude + source, options);
      started.threads.push(this);
    }
  }
  return { ...real, Worker };
});

/** Has what a worker calls on a module's instance do something else the `at`-th time; at work it holds its share of the chunks meanwhile. */
const instead = (name: "park" | "run", at: number, body: string) => `
  let calls = 0;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, { construct: (Instance, given) => {
    const { exports } = new Instance(...given);
    const call = exports.${name};
    if (!call) return { exports };
    return { exports: { ...exports, ${name}: (...args) => {
      calls++;
      if ("${name}" === "run") {
        const [, control, part] = args;
        Atomics.store(new Int32Array(given[1].environment.memory.buffer), (control + ${control.shares} + ${shareBytes} * part + 8) / 4, calls);
      }
      if (calls !== ${at}) return call(...args);
      if ("${name}" === "park") { ${body} }
      else {
        const [, control, part, , first] = args;
        const shares = new BigInt64Array(given[1].environment.memory.buffer);
        const at = (control + ${control.shares} + ${shareBytes} * part) / 8;
        const before = Atomics.exchange(shares, at, (BigInt(first) << 32n) + 0x7fffffffn);
        { ${body} }
        Atomics.store(shares, at, before);
      }
      return call(...args);
    } } };
  } });`;

/** Has the calling thread wait in its first `at` runs until every worker has taken a chunk, as a slow one would. */
function behind(at: number): () => void {
  const { instantiate } = WebAssembly;
  let calls = 0;
  const spy = vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => {
    const { exports } = await instantiate(module, imports);
    const run = exports.run as (...args: number[]) => number;
    const { buffer } = (imports.environment as { memory: WebAssembly.Memory }).memory;
    return {
      exports: {
        run: (...args: number[]) => {
          const [, home, , parts, first] = args;
          const isAtWork = (part: number) => {
            const at = home + control.shares + shareBytes * part;
            // Another worker may have taken the chunk: that this one has come it says beside its share.
            const came = Atomics.load(new Int32Array(buffer), (at + 8) / 4);
            return came >= calls && Atomics.load(new BigInt64Array(buffer), at / 8) >> 32n === BigInt(first);
          };
          const end = performance.now() + 5000;
          if (++calls <= at)
            for (let part = 1; part < parts; part++) while (!isAtWork(part) && performance.now() < end);
          return run(...args);
        },
      },
    };
  }) as never);
  return () => spy.mockRestore();
}

const graph = traceGraph({ x: { dtype: "float32", shape: [1000] } }, ({ x }) => ({ outputs: { y: exp(x) } }));
let backend: Backend;
let executable: Executable;
let buffers: Buffer[];

async function start(threads = 3, { waits = 0 } = {}): Promise<void> {
  backend = await wasmBackend({ threads, shareFrom: 0 });
  const restore = waits > 0 ? behind(waits) : () => {};
  executable = await backend.load(lower(graph));
  restore();
  buffers = [backend.allocate("float32", 1000), backend.allocate("float32", 1000)];
}

const run = async () => executable.run({ inputs: [buffers[0]], outputs: [buffers[1]], seed: 0n, base: 0 });
const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs, and lets events come in between, until a run fails: the death of a worker that has no chunk keeps no run from ending. */
async function runUntilFailing(): Promise<void> {
  for (;;) {
    await run();
    await rest(0);
  }
}

/** Everything that a dead backend is asked says that it is dead; but giving memory back, which the collector does, is no error. */
async function expectDead(): Promise<void> {
  const dead = /a worker thread has died.*\n?.*make a new backend/s;
  await expect(run()).rejects.toThrow(dead);
  await expect(async () => backend.load(lower(graph))).rejects.toThrow(dead);
  await expect(backend.read(buffers[1])).rejects.toThrow(dead);
  expect(() => backend.write(buffers[0], new Float32Array(1000))).toThrow(dead);
  expect(() => backend.allocate("float32", 1)).toThrow(BackendError);
  backend.free(buffers[0]);
}

/** Waits for a rejection, and says how long it took. */
async function failing(work: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await expect(work).rejects.toThrow(BackendError);
  return performance.now() - begin;
}

beforeEach(() => {
  started.threads = [];
  started.prelude = "";
});
afterEach(() => backend.dispose());

describe("killed from outside", () => {
  test("while it rests", async () => {
    await start();
    await run();
    await started.threads[0].terminate();
    await rest(0);
    await expectDead();
  });

  test("just before it is needed", async () => {
    await start();
    await run();
    const killed = started.threads[1].terminate();
    expect(await failing(runUntilFailing())).toBeLessThan(1500);
    await killed;
    await expectDead();
  });

  test("while it works and the others wait for it", async () => {
    started.prelude = instead("run", 2, "for (;;);");
    await start(3, { waits: 2 });
    await run();
    setTimeout(() => void started.threads[1].terminate(), 400);
    expect(await failing(run())).toBeLessThan(2000);
    await expectDead();
  });

  test("while it is given a program", async () => {
    await start();
    const loading = (async () => backend.load(lower(graph)))().then(
      () => failing(run()),
      (error) => expect(error).toBeInstanceOf(BackendError),
    );
    await Promise.all(started.threads.map((thread) => thread.terminate()));
    await loading;
    await expectDead();
  });
});

describe("ends by itself", () => {
  test.each([
    ["process.exit as it is to begin", instead("park", 3, "process.exit(3);"), /exited with code 3/],
    ["process.exit at work", instead("run", 2, "process.exit(4);"), /exited with code 4/],
    ["an error that nothing catches", instead("park", 3, 'throw new Error("oops");'), /oops/],
    ["an error at work", instead("run", 2, 'throw new Error("ouch");'), /ouch/],
  ])("%s", async (_, prelude, says) => {
    started.prelude = prelude;
    await start(2, { waits: prelude.includes("exports.run") ? 2 : 0 });
    const begin = performance.now();
    await expect(runUntilFailing()).rejects.toThrow(says);
    expect(performance.now() - begin).toBeLessThan(1500);
    await expectDead();
  });

  test("before it was ready", async () => {
    started.prelude = "process.exit(5);";
    await expect(wasmBackend({ threads: 2 })).rejects.toThrow(/exited with code 5/);
  });
});

describe("a trap", () => {
  /** Has the program that is loaded next trap on the calling thread at its `at`-th run. */
  const trapping = (at: number) => {
    const { instantiate } = WebAssembly;
    let calls = 0;
    return vi.spyOn(WebAssembly, "instantiate").mockImplementation((async (
      module: WebAssembly.Module,
      imports: WebAssembly.Imports,
    ) => {
      const { exports } = await instantiate(module, imports);
      const run = exports.run as (...args: number[]) => number;
      return {
        exports: {
          run: (...args: number[]) => {
            if (++calls === at) throw new WebAssembly.RuntimeError("unreachable");
            return run(...args);
          },
        },
      };
    }) as never);
  };

  test("of the calling thread ends the others, which would wait for it", async () => {
    const spy = trapping(2);
    await start(3);
    spy.mockRestore();
    await run();
    const ended = started.threads.map((thread) => new Promise((resolve) => thread.once("exit", resolve)));
    expect(await failing(run())).toBeLessThan(1500);
    await Promise.all(ended);
    await expect(run()).rejects.toThrow(/the calling thread failed in a run: got RuntimeError: unreachable/);
  });

  test("on one thread is a BackendError too", async () => {
    const spy = trapping(1);
    await start(1);
    spy.mockRestore();
    await expect(run()).rejects.toThrow(/a run ended in a trap.*half-written/s);
    await run();
  });

  test("in a worker ends all", async () => {
    started.prelude = instead("run", 2, 'throw new WebAssembly.RuntimeError("unreachable");');
    await start(3, { waits: 2 });
    await run();
    expect(await failing(run())).toBeLessThan(1500);
  });
});

test("a slow worker is waited for, while events come", async () => {
  started.prelude = instead("run", 2, "for (const begin = Date.now(); Date.now() - begin < 700; );");
  await start(3, { waits: 2 });
  await run();
  backend.write(buffers[0], new Float32Array(1000).fill(1));
  let ticks = 0;
  const timer = setInterval(() => ticks++, 50);
  const first = run();
  // What is wanted meanwhile waits its turn.
  const other = (async () => backend.load(lower(graph)))();
  const second = run();
  await first;
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(1);
  const one = await backend.read(buffers[1]);
  await second;
  expect(one).toEqual(await backend.read(buffers[1]));
  expect(one[999]).toBe(Math.fround(Math.E));
  await (await other).run({ inputs: [buffers[0]], outputs: [buffers[1]], seed: 0n, base: 0 });
});

test("a compiled step whose worker dies rejects, and so does reading what it left", async () => {
  await start(2);
  const variable = new Variable(zeros([1000]));
  const step = compile(
    () => {
      variable.assign(variable.add(1).exp());
      return variable.sum();
    },
    { state: { namedVariables: () => [["buffer/x", variable] as const] }, backend, stream: new Stream(1n) },
  );
  await step();
  await started.threads[0].terminate();
  await expect(step()).rejects.toThrow(BackendError);
  await expect(variable.data()).rejects.toThrow(BackendError);
});

test("a backend that was disposed says so", async () => {
  await start();
  await run();
  await backend.dispose();
  await expect(run()).rejects.toThrow(/disposed/);
  await expect(async () => backend.load(lower(graph))).rejects.toThrow(/disposed/);
  expect(await tensor([1]).add(1).array()).toEqual([2]);
});
