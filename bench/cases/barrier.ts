// How long threads take to meet: a program of nothing but barriers, on a pool of its own.
import { branchIf, call, type Local, loop, ModuleBuilder } from "../../src/backend/wasm/assembler.ts";
import { i32 } from "../../src/backend/wasm/instructions.ts";
import { barrierFunction } from "../../src/backend/wasm/runtime/barrier.ts";
import { outcome } from "../../src/backend/wasm/runtime/control.ts";
import { Memory, maximumPages } from "../../src/backend/wasm/runtime/memory.ts";
import { Pool } from "../../src/backend/wasm/runtime/pool.ts";
import { textBits } from "../bits.ts";
import type { Case } from "../harness.ts";

/** Barriers a run; the time of a call is that of all. */
const barriers = 10_000;

function program(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ sharedMaximum: maximumPages });
  const barrier = barrierFunction(module);
  const run = module.function("run", ["i32", "i32", "i32"], ["i32"], { exported: true });
  const [control, part, parts] = run.parameters as Local<"i32">[];
  const left = run.local("i32");
  const failed = run.local("i32");
  run.body(
    left.set(i32.const(barriers)),
    loop((again) => [
      failed.set(
        i32.or(failed.get, call<"i32">(barrier, control.get, part.get, parts.get, i32.const(1), i32.const(0))),
      ),
      branchIf(again, left.tee(i32.sub(left.get, i32.const(1)))),
    ]),
    failed.get,
  );
  return module.encode();
}

export const cases: readonly Case[] = [
  {
    name: "barrier-10k",
    about: "ten thousand barriers one after another",
    unit: "ms",
    rounds: 15,
    calls: 3,
    warmup: 10,
    minimumThreads: 2,
    place: "backend",
    async prepare({ threads }) {
      const memory = new Memory({ shared: true });
      const pool = new Pool(memory, threads);
      await pool.start();
      const module = new WebAssembly.Module(program());
      const id = await pool.add(module, pool.control);
      const instance = new WebAssembly.Instance(module, { environment: { memory: memory.memory } });
      const run = instance.exports.run as (control: number, part: number, parts: number) => number;
      let failed: number = outcome.done;
      return {
        run: () => {
          pool.dispatch(id);
          failed |= run(pool.control, 0, threads);
        },
        bits: () => textBits(failed === outcome.done ? "done" : "failed"),
        dispose: () => pool.stop(),
      };
    },
  },
];
