// Run by itself by test/backend/wasm/threads: starts threads, runs a plan, waits, and ends without ending the threads. Prints the share of
// one core that was busy while it waited.

import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { planGraph } from "../../src/compile/lower.ts";
import { exp } from "../../src/ops/elementwise.ts";
import { sum } from "../../src/ops/reduce.ts";
import { traceGraph } from "./graphs.ts";

const backend = await wasmBackend({ threads: 3, shareFrom: 0 });
const graph = traceGraph({ x: { dtype: "float32", shape: [1000] } }, ({ x }) => ({ outputs: { y: sum(exp(x)) } }));
const executable = await backend.load(await planGraph(graph));
const [x, y] = [backend.allocate("float32", 1000), backend.allocate("float32", 1)];
await executable.run({ inputs: [x], outputs: [y], seed: 0n, base: 0 });
const [result] = await backend.read(y);
const [busy, time] = [process.cpuUsage(), performance.now()];
await new Promise((resolve) => setTimeout(resolve, 1000));
const { user, system } = process.cpuUsage(busy);
console.log(JSON.stringify({ sum: result, share: (user + system) / 1000 / (performance.now() - time) }));
