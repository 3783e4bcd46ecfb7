// npm run test:conformance: law 5 for every public op at the edges of shapes, values and gradients, and for the cases of `npm test`, on each backend. Over
// 100,000 cases, or one call in --every; --ops and --on are parts of names, `conv;pool` and `gpujs;3 threads`.
import { parseArgs } from "node:util";
import { differing, parted, prepare } from "../conformance/batch.ts";
import type { Computation } from "../conformance/cases/case.ts";
import { edgeCases } from "../conformance/cases/edges.ts";
import { conformanceCases } from "../conformance/cases.ts";
import { loaded } from "../support/backends.ts";
import { importAll } from "../support/imported.ts";
import { calls } from "../support/op-calls.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    ops: { type: "string", default: "" },
    on: { type: "string", default: "" },
  },
});
const parts = values.ops.split(";");
const every = Number(values.every);
const isNamed = (name: string) => parts.some((part) => name.includes(part));
const names = Object.keys(calls).filter(isNamed);
await importAll();
const backends = await loaded(values.on);
console.log(`${names.length} ops on ${backends.map(([name]) => name).join("; ")}`);
let [cases, wrong] = [0, 0];
async function hold(list: readonly Computation[]): Promise<void> {
  for (const part of parted(list)) {
    const batch = await prepare(part);
    cases += part.length;
    for (const [on, backend] of backends)
      for (const message of await differing(backend, batch)) {
        wrong++;
        console.error(`${on}: ${message}`);
      }
  }
}
await hold(conformanceCases().filter(({ name }, i) => i % every === 0 && isNamed(name)));
for (const [i, name] of names.entries()) {
  await hold(edgeCases(name, { every }));
  if (i % 20 === 19) console.log(`${i + 1} ops, ${cases} cases`);
}
for (const [, backend] of backends) await backend.dispose();
console.log(`${cases} cases on ${backends.length} backends: ${wrong ? `${wrong} differ` : "all hold"}`);
if (wrong || cases === 0) process.exitCode = 1;
