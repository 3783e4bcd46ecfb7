// Chunks of phases: each is done exactly once, after all of the phase before, whatever the threads' pace; and a run needs no thread that
// holds none.
import { afterEach, describe, expect, test } from "vitest";
import { atomics, i32, type Local, ModuleBuilder } from "../../../src/backend/wasm/assembler/assembler.ts";
import { phasePrinter } from "../../../src/backend/wasm/runtime/chunks.ts";
import { Memory, maximumPages } from "../../../src/backend/wasm/runtime/memory.ts";
import { outcome } from "../../../src/backend/wasm/runtime/outcome.ts";
import { Pool } from "../../../src/backend/wasm/runtime/pool.ts";

/**
 * Where chunks count how often they were done, how many of the phase before they found done, and how many looks each takes; which chunk finds that the
 * run can't go on, and where it says so.
 */
interface Cells {
  readonly done: number;
  readonly found: number;
  readonly delay: number;
  readonly bad: number;
  readonly status: number;
}

/** A program of phases of so many chunks, at these addresses. */
function program(phases: readonly number[], cells: Cells): WebAssembly.Module {
  const module = new ModuleBuilder({ sharedMaximum: maximumPages });
  const run = module.function("run", ["i32", "i32", "i32", "i32", "i32"], ["i32"], { exported: true });
  const [, control, part, parts, first] = run.parameters as Local<"i32">[];
  const printer = phasePrinter(run, { control, part, parts, first, status: cells.status });
  const left = run.local("i32");
  const sum = run.local("i32");
  let before = 0;
  run.block((leave) => {
    phases.forEach((chunks, number) => {
      const previous = number > 0 ? phases[number - 1] : 0;
      const from = before - previous;
      const here = before;
      before += chunks;
      const at = (chunk: Local<"i32">) => i32.shl(i32.add(chunk, here), 2);
      printer.print(leave, {
        chunks,
        number,
        skips: phases.length - number,
        each(chunk) {
          sum.set(0);
          for (let i = 0; i < previous; i++) sum.set(i32.add(sum, atomics.load(cells.done + 4 * (from + i))));
          left.set(i32.load(at(chunk), cells.delay));
          run.loop((again) => run.branchIf(again, i32.gtS(left.tee(i32.sub(left, 1)), 0)));
          run.emit(i32.store(at(chunk), sum, cells.found));
          run.drop(atomics.add(at(chunk), 1, cells.done));
          run.when(i32.eq(at(chunk), i32.load(cells.bad)), () => run.emit(i32.store(cells.status, 1)));
        },
      });
    });
  });
  run.emit(printer.outcome);
  return new WebAssembly.Module(module.encode());
}

let pool: Pool | undefined;
afterEach(() => pool?.stop());

async function started(parts: number, phases: readonly number[]) {
  const memory = new Memory({ shared: true });
  pool = new Pool(memory, parts, { patience: 20 });
  if (parts > 1) await pool.start();
  const total = phases.reduce((sum, chunks) => sum + chunks, 0);
  const cells = {
    done: memory.allocate(4 * total),
    found: memory.allocate(4 * total),
    delay: memory.allocate(4 * total),
    bad: memory.allocate(4),
    status: memory.allocate(4),
  };
  const module = program(phases, cells);
  const id = parts > 1 ? await pool.add(module, 0) : undefined;
  const instance = new WebAssembly.Instance(module, { environment: { memory: memory.memory } });
  const run = instance.exports.run as (...args: number[]) => number;
  const here = pool;
  memory.view.setInt32(cells.bad, -1, true);
  return {
    total,
    memory,
    words: (at: number) => new Int32Array(memory.memory.buffer, at, total),
    cells,
    async run(alone = false) {
      const first = here.begin(alone ? undefined : id);
      for (;;) {
        const left = run(0, here.control, 0, parts, first);
        if (left !== outcome.paused) return left;
        await here.look();
      }
    },
  };
}

describe.each([1, 2, 3, 8])("%d threads", (parts) => {
  test("each chunk once, after all of the phase before, at any pace", async () => {
    const phases = [5, 1, 16, 3, 1, 1, 40, 2, 7, 8];
    const { run, total, words, cells } = await started(parts, phases);
    const expected = phases.flatMap((chunks, i) => new Array<number>(chunks).fill(i > 0 ? phases[i - 1] : 0));
    let seed = 1;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 1);
    for (let round = 1; round <= 300; round++) {
      const longest = [1, 100, 10_000][round % 3];
      words(cells.delay).forEach((_, i, all) => {
        all[i] = random() % (random() % 10 === 0 ? 20 * longest : longest);
      });
      expect(await run(round % 7 === 0)).toBe(outcome.done);
      expect([...words(cells.done)]).toEqual(new Array(total).fill(round));
      expect([...words(cells.found)]).toEqual(expected.map((count) => count * round));
    }
  });

  test("after a phase in which a chunk finds that the run can't go on, none begins", async () => {
    const phases = [4, 12, 1, 6, 9];
    const { run, total, words, cells, memory } = await started(parts, phases);
    const phaseOf = phases.flatMap((chunks, phase) => new Array<number>(chunks).fill(phase));
    const expected = new Array<number>(total).fill(0);
    for (let round = 0; round < 300; round++) {
      const bad = (round * 7) % total;
      memory.view.setInt32(cells.bad, 4 * bad, true);
      memory.view.setInt32(cells.status, 0, true);
      words(cells.delay)[bad] = (round * 37) % 1000;
      expect(await run()).toBe(outcome.done);
      phaseOf.forEach((phase, chunk) => {
        if (phase <= phaseOf[bad]) expected[chunk]++;
      });
      expect([...words(cells.done)]).toEqual(expected);
    }
  });
});
