// How long threads take to meet: a program of nothing but barriers, on a pool of its own.
import { type Local, ModuleBuilder } from "../../src/backend/wasm/assembler/assembler.ts";
import { phasePrinter } from "../../src/backend/wasm/runtime/chunks.ts";
import { Memory, maximumPages } from "../../src/backend/wasm/runtime/memory.ts";
import { outcome } from "../../src/backend/wasm/runtime/outcome.ts";
import { Pool } from "../../src/backend/wasm/runtime/pool.ts";
import { textBits } from "../bits.ts";
import type { Case } from "../harness.ts";

/** Barriers a run; the time of a call is that of all. */
const barriers = 10_000;

function program(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder({ sharedMaximum: maximumPages });
  const run = module.function("run", ["i32", "i32", "i32", "i32", "i32"], ["i32"], { exported: true });
  const [, control, part, parts, first] = run.parameters as Local<"i32">[];
  const phases = phasePrinter(run, { control, part, parts, first, status: 0 });
  run.block((leave) => {
    for (let each = 0; each < barriers; each++) phases.print(leave, { chunks: 2, number: each, skips: 1, each() {} });
  });
  run.emit(phases.outcome);
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
      const run = instance.exports.run as (...args: number[]) => number;
      let failed: number = outcome.done;
      return {
        run: () => {
          failed |= run(0, pool.control, 0, threads, pool.begin(id));
        },
        bits: () => textBits(failed === outcome.done ? "done" : "failed"),
        dispose: () => pool.stop(),
      };
    },
  },
];
