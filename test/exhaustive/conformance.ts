// npm run test:conformance: law 5 for every public op at the edges of shapes, values and gradients, on each backend. Over 100,000 cases, or one
// call in --every; --ops and --on are parts of names, `conv;pool` and `gpujs;3 threads`.
import { parseArgs } from "node:util";
import { differing, parted, prepare } from "../conformance/batch.ts";
import { edgeCases } from "../conformance/cases/edges.ts";
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
const names = Object.keys(calls).filter((name) => parts.some((part) => name.includes(part)));
await importAll();
const backends = await loaded(values.on);
console.log(`${names.length} ops on ${backends.map(([name]) => name).join("; ")}`);
let [cases, wrong] = [0, 0];
for (const [i, name] of names.entries()) {
  for (const part of parted(edgeCases(name, { every: Number(values.every) }))) {
    const batch = await prepare(part);
    cases += part.length;
    for (const [on, backend] of backends)
      for (const message of await differing(backend, batch)) {
        wrong++;
        console.error(`${on}: ${message}`);
      }
  }
  if (i % 20 === 19) console.log(`${i + 1} ops, ${cases} cases`);
}
for (const [, backend] of backends) await backend.dispose();
console.log(`${cases} cases on ${backends.length} backends: ${wrong ? `${wrong} differ` : "all hold"}`);
if (wrong || cases === 0) process.exitCode = 1;
