// What an engine with files is asked to do: the short forms of some presets on what a lane names: `wasm/2` is two threads, `wasm/1/scalar` without SIMD,
// `wasm/1/auto` with vectors of 8 where the engine can. It answers each preset by a line of JSON: an engine may end in the next one.
import { readFileSync } from "node:fs";
import { loadBackend } from "../../src/backend/load.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { type Backend, buildTrainer, parseConfig } from "../../src/index.ts";
import type { Answer } from "./lane.ts";
import { shortened } from "./presets.ts";

async function backendOf(lane: string): Promise<Backend> {
  const [name, count = "1", form] = lane.split("/");
  const threads = Number(count);
  if (form === "scalar") return wasmBackend({ threads, simd: false });
  return loadBackend(name, { threads, ...(form === "auto" && { vectorWidth: "auto" }) });
}

const { Bun, Deno } = globalThis as { Bun?: { version: string }; Deno?: { version: { deno: string } } };
const version = Bun?.version ?? Deno?.version.deno ?? process.versions.node;
const [lane, presets] = process.argv.slice(-2);
const backend = await backendOf(lane);
for (const preset of presets.split(",")) {
  const config = parseConfig(readFileSync(`src/presets/${preset}.yaml`, "utf8"), preset, shortened(preset));
  const changes = { modelDir: undefined, checkpoint: null, loggers: [], backend };
  const { trainer, train } = buildTrainer(config, changes);
  const { digest } = await trainer.fit(train!, []);
  const line: Answer = { preset, digest, threads: backend.threads, version };
  console.log(`answer ${JSON.stringify(line)}`);
}
process.exit(0);
