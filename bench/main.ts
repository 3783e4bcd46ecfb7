// npm run bench [-- --filter REGEX --backend A,B --threads 1,2 --json FILE]: measures kernels and steps on each backend, bits beside the time.
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadBackend, manualSeed } from "../src/index.ts";
import { cases as elementwise } from "./cases/elementwise.ts";
import { cases as matmul } from "./cases/matmul.ts";
import { cases as random } from "./cases/random.ts";
import { cases as step } from "./cases/step.ts";
import { type Case, measure, type Row } from "./harness.ts";

const all: readonly Case[] = [...matmul, ...elementwise, ...random, ...step];
const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    backend: { type: "string", default: "wasm,reference,gpujs:webasm,gpujs:cpu" },
    threads: { type: "string", default: "1" },
    json: { type: "string" },
  },
});

const chosen = all.filter(({ name }) => new RegExp(options.filter).test(name));
if (chosen.length === 0) {
  console.error(`bench: no case matches ${options.filter}; there are ${all.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const backends = [];
for (const name of options.backend.split(",")) {
  const counts = options.threads.split(",").map(Number);
  // A backend that has one thread only is measured once.
  const first = await loadBackend(name, { threads: counts[0] });
  backends.push(first);
  if (first.threads === counts[0]) {
    for (const threads of counts.slice(1)) {
      const more = await loadBackend(name, { threads });
      if (more.threads === threads) backends.push(more);
      else await more.dispose();
    }
  }
}
manualSeed(0);
const machine = {
  cpu: cpus()[0].model,
  cores: cpus().length,
  engine: `node ${process.versions.node}`,
  load: loadavg()[0],
};
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${machine.engine}, load ${machine.load.toFixed(2)}; medians; times are of whole calls\n`,
);

const columns = ["case", "backend", "threads", "median ms", "min ms", "rate", "unit", "bits"];
const widths = [22, 14, 7, 10, 10, 9, 8, 16];
const line = (cells: readonly (string | number)[]) =>
  cells
    .map((cell, i) => (i < 2 || i > 5 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i])))
    .join("  ");
console.log(line(columns));
const rows: Row[] = [];
let different = 0;
for (const subject of chosen) {
  const measured = await measure(subject, backends);
  rows.push(...measured);
  for (const row of measured)
    console.log(line([row.case, row.backend, row.threads, row.median_ms, row.min_ms, row.rate, row.unit, row.bits]));
  for (const [name, reason] of Object.entries(subject.skip ?? {})) {
    if (backends.some((backend) => backend.name === name))
      console.log(line([subject.name, name, "", "–", "–", "–", "", `left out: ${reason}`]));
  }
  if (new Set(measured.map(({ bits }) => bits)).size > 1) {
    different++;
    console.log(`  ${subject.name}: the backends' bits differ`);
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
for (const backend of backends) await backend.dispose();
process.exit(different > 0 ? 1 : 0);
