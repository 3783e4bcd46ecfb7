// npm run gpu: for a machine with a GPU. Trains a preset's first steps on it and on wasm, prints the device's certificate as JSON with both digests, then runs the bench on both;
// arguments go to the bench. Exit code 1 where the digests differ, or the bench fails.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadBackend } from "../src/backend/load.ts";
import type { Backend } from "../src/compile/contract.ts";
import { buildTrainer } from "../src/train/config/build.ts";
import { parseConfig } from "../src/train/config/parse.ts";

const preset = "src/presets/mnist-mlp.yaml";
const steps = 5;

async function digestOn(backend: Backend): Promise<string> {
  const { trainer, train } = buildTrainer(parseConfig(readFileSync(preset, "utf8"), preset), {
    modelDir: undefined,
    checkpoint: null,
    callbacks: [],
    loggers: [],
    logging: { logLevel: "silent" },
    loop: { numSteps: steps },
    backend,
  });
  return (await trainer.fit(train!)).digest;
}

const [gpu, wasm] = [await loadBackend("webgpu", { audit: 0.05 }), await loadBackend("wasm")];
const [got, expected] = [await digestOn(gpu), await digestOn(wasm)];
const { certificate } = gpu;
const faults = [...certificate!.primitives, ...certificate!.kernels].filter(({ fault }) => fault !== undefined);
console.log(JSON.stringify({ steps, preset, digests: { webgpu: got, wasm: expected }, certificate }, null, 2));
console.log(
  `${certificate!.device}: ${faults.length} faults; ${got === expected ? "the same digest" : "ANOTHER DIGEST"}`,
);
await Promise.all([gpu.dispose(), wasm.dispose()]);
const bench = ["run", "--silent", "bench", "--", "--backend", "wasm,webgpu", ...process.argv.slice(2)];
const { status } = spawnSync("npm", bench, { stdio: "inherit" });
process.exit(got === expected ? (status ?? 1) : 1);
