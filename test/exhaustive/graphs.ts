// npm run test:graphs: law 6 on random graphs over the whole op set, values and gradients: unfused = fused = reference, by the kernel
// interpreter, gpujs, and wasm with SIMD, without, and on three threads. 10,000 unless --count says otherwise, or so many as --minutes allow; --on is
// parts of backends' names; --seed goes on from a failure, whose smallest case is printed.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { graphNodes } from "../../src/graph/graph.ts";
import { loaded } from "../support/backends.ts";
import { importAll } from "../support/imported.ts";
import { checkProgram, choices, programOf } from "../support/programs.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    on: { type: "string", default: "" },
    minutes: { type: "string", default: "Infinity" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const end = performance.now() + Number(values.minutes) * 60_000;
await importAll();
const backends = await loaded(values.on);
console.log(`${count} graphs from seed ${seed} on ${backends.map(([name]) => name).join("; ")}`);
const ops = new Map<string, number>();
let [done, nodes] = [0, 0];
try {
  await fc.assert(
    fc.asyncProperty(choices, fc.boolean(), async (numbers, differentiate) => {
      if (performance.now() > end) return;
      const program = programOf(numbers, { differentiate });
      for (const { op } of graphNodes(program.graph)) {
        nodes++;
        ops.set(op, (ops.get(op) ?? 0) + 1);
      }
      await checkProgram(program, backends);
      if (++done % 500 === 0) console.log(`${done} graphs, ${nodes} nodes of ${ops.size} ops`);
    }),
    { numRuns: count, seed },
  );
  console.log(`${done} graphs hold: ${nodes} nodes of ${ops.size} ops`);
} catch (error) {
  console.error((error as Error).message, (error as Error).cause);
  console.error(`After ${done} graphs. Again: npm run test:graphs -- --seed ${seed}`);
  process.exitCode = 1;
}
for (const [, backend] of backends) await backend.dispose();
