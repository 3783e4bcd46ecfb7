// A fresh process: importing the library, and the first compilation of a step with nothing warm.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Case } from "../harness.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

/** The program to time, as JavaScript in a folder of its own: what a user's node would load, one file a part, packages left outside. */
async function bundle(folder: string, source: string): Promise<string> {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  await build({
    stdin: { contents: source, resolveDir: join(root, "bench/cases"), loader: "ts" },
    bundle: true,
    splitting: true,
    packages: "external",
    external: ["gpu.js"],
    platform: "node",
    format: "esm",
    target: "node20",
    outdir: folder,
    entryNames: "program",
    outExtension: { ".js": ".mjs" },
    logLevel: "silent",
  });
  return join(folder, "program.mjs");
}

function fresh(name: string, about: string, source: string): Case {
  return {
    name,
    about,
    unit: "ms",
    rounds: 7,
    calls: 1,
    warmup: 2,
    place: "host",
    async prepare() {
      const folder = mkdtempSync(join(tmpdir(), "seedgrad-bench-"));
      const program = await bundle(folder, source);
      return {
        time: async () => Number((await run(process.execPath, [program])).stdout),
        bits: () => "",
        dispose: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  };
}

const firstStep = (workload: "mlpSmall" | "gpt" | "lstm") => `
import { loadBackend } from "../../src/index.ts";
import { ${workload}, stepOf } from "./training.ts";
const { step, batch } = stepOf(${workload}, await loadBackend("wasm"));
const start = performance.now();
await step.plan(...batch);
console.log(performance.now() - start);
`;

/** Times by the fresh process's own clock, which starts when node is up. */
export const cases: readonly Case[] = [
  fresh(
    "import",
    "the library imported in a fresh process",
    `const start = performance.now();
await import("../../src/index.ts");
console.log(performance.now() - start);`,
  ),
  fresh(
    "compile-mlp-small-cold",
    "trace, plan and code of the mlp-small step in a fresh process",
    firstStep("mlpSmall"),
  ),
  fresh("compile-gpt-cold", "trace, plan and code of the gpt step in a fresh process", firstStep("gpt")),
  fresh("compile-lstm-cold", "trace, plan and code of the lstm step in a fresh process", firstStep("lstm")),
];
