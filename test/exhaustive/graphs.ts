// npm run test:graphs: law 6 on random graphs over the whole op set, values and gradients: unfused = fused = reference, by the kernel
// interpreter, gpujs, and wasm with SIMD, without, and on three threads; and what graphs keep to whatever runs them (test/support/relations.ts, transforms.ts). 10,000
// unless --count says otherwise, or so many as --minutes allow; --on is parts of backends' names; --favour names of growths that come oftener; --seed goes
// on from a failure, whose smallest case is printed.
import { parseArgs } from "node:util";
import fc from "fast-check";
import { referenceBackend } from "../../src/backend/reference.ts";
import { graphNodes } from "../../src/graph/graph.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { loaded } from "../support/backends.ts";
import { importAll } from "../support/imported.ts";
import { checkProgram, programOf } from "../support/programs.ts";
import { checkBatch, checkDerivatives, checkLoops, hasLoops } from "../support/relations.ts";
import { checkTransforms } from "../support/transforms.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    on: { type: "string", default: "" },
    favour: { type: "string" },
    minutes: { type: "string", default: "Infinity" },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const end = performance.now() + Number(values.minutes) * 60_000;
await importAll();
await setDefaultBackend("reference");
const backends = await loaded(values.on);
console.log(`${count} graphs from seed ${seed} on ${backends.map(([name]) => name).join("; ")}`);
const [ops, transforms] = [new Map<string, number>(), new Map<string, number>()];
let [done, nodes] = [0, 0];
/** Longer than fast-check makes them by itself, and as often large as small: what loops hold is decided late, and one in another spends a hundred. */
const choices = fc.array(fc.noBias(fc.nat(5000)), { minLength: 100, maxLength: 600, size: "max" });
const options = fc.record({
  differentiate: fc.boolean(),
  narrow: fc.nat(4).map((one) => one === 4),
  size: fc.nat(3).map((one) => (one === 3 ? "large" : "small")),
  strays: fc.nat(4).map((one) => one === 4),
  favour: fc.constant(values.favour?.split(",")),
});
try {
  await fc.assert(
    fc.asyncProperty(choices, options, async (numbers, how) => {
      if (performance.now() > end) return;
      const program = programOf(numbers, how);
      for (const { op } of graphNodes(program.graph)) {
        nodes++;
        ops.set(op, (ops.get(op) ?? 0) + 1);
      }
      const outcome = await checkProgram(program, backends);
      if (outcome === "runs" && how.size === "small") {
        if (hasLoops(program.graph)) await checkLoops(program);
        await checkBatch(program, [referenceBackend()]);
        withTrace(() => checkDerivatives(program));
        for (const what of await checkTransforms(numbers)) transforms.set(what, (transforms.get(what) ?? 0) + 1);
      }
      if (++done % 500 === 0) console.log(`${done} graphs, ${nodes} nodes of ${ops.size} ops`);
    }),
    { numRuns: count, seed },
  );
  console.log(`${done} graphs hold: ${nodes} nodes of ${ops.size} ops`);
  console.log(`Of chains of transforms: ${[...transforms].map(([what, count]) => `${count} ${what}`).join(", ")}`);
} catch (error) {
  console.error((error as Error).message, (error as Error).cause);
  console.error(`After ${done} graphs. Again: npm run test:graphs -- --seed ${seed}`);
  process.exitCode = 1;
}
for (const [, backend] of backends) await backend.dispose();
