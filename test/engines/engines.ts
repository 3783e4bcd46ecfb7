// npm run test:engines [-- NAME…]: the same training steps on other engines and processors, which must give this Node's bits. Engines come
// from npm into a folder of their own on first use; foreign processors run under Debian's qemu-user and libc6-*-cross. What is missing is said.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  type EnginePackage,
  engineFolder,
  fetchEngine,
  type NodeMajor,
  nodePackage,
  nodeVersions,
} from "../../tools/engines.ts";
import { ask, bundle } from "./lane.ts";

interface Engine extends EnginePackage {
  readonly name: string;
  readonly args?: readonly string[];
  /** What emulates its processor, with the folder of that processor's libraries. */
  readonly emulator?: readonly [command: string, libraries: string];
  /** Backends it is asked for; threads after a colon. Emulated ones do less. */
  readonly lanes: readonly string[];
}

const all = ["reference", "wasm/1", "wasm/2", "wasm/1/scalar", "wasm/2/auto", "gpujs:webasm", "gpujs:cpu"];
const some = ["reference", "wasm/1", "wasm/1/scalar"];
const node = (major: NodeMajor): Engine => ({
  name: `node-${major}`,
  ...nodePackage(nodeVersions[major], "x64"),
  lanes: all,
});
const foreign = (name: string, version: string, emulator: Engine["emulator"]): Engine => ({
  name: `node-${name}`,
  ...nodePackage(version, name),
  emulator,
  lanes: some,
});
const engines: readonly Engine[] = [
  node("20"),
  node("22"),
  node("24"),
  node("26"),
  {
    ...node("20"),
    name: "node-20-without-sse4",
    args: ["--no-enable-sse4-1"],
    lanes: ["reference", "wasm/1"],
  },
  { name: "bun", install: "@oven/bun-linux-x64@1.4.5", binary: "@oven/bun-linux-x64/bin/bun", lanes: all },
  {
    name: "deno",
    install: "@deno/linux-x64-glibc@2.9.6",
    binary: "@deno/linux-x64-glibc/deno",
    args: ["run", "-A", "--node-modules-dir=manual"],
    lanes: all,
  },
  foreign("arm64", "20.20.2", ["qemu-aarch64", "/usr/aarch64-linux-gnu"]),
  foreign("ppc64le", "20.11.0", ["qemu-ppc64le", "/usr/powerpc64le-linux-gnu"]),
  foreign("armv7l", "20.11.0", ["qemu-arm", "/usr/arm-linux-gnueabihf"]),
  foreign("s390x", "20.11.0", ["qemu-s390x", "/usr/s390x-linux-gnu"]),
];

/** The engine's command, or why there is none. */
function command(engine: Engine): readonly string[] | string {
  const found = fetchEngine(engine);
  if ("missing" in found) return found.missing;
  const binary = found.path;
  const { emulator, args = [] } = engine;
  if (!emulator) return [binary, ...args];
  const [name, libraries] = emulator;
  if (spawnSync(name, ["--version"]).status !== 0 || !existsSync(libraries)) {
    return `no ${name} with ${libraries} here: Debian's qemu-user and the processor's libc6-*-cross, libstdc++6-*-cross`;
  }
  return [name, "-L", libraries, binary, ...args];
}

const program = await bundle(engineFolder);
const wanted = process.argv.slice(2);
const chosen = engines.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) {
  console.error(`test:engines: there are ${engines.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const bits = ask([process.execPath], program, "reference");
console.log(`this Node, reference: ${bits}`);
let [passed, failed, skipped] = [0, 0, 0];
for (const engine of chosen) {
  const start = command(engine);
  if (typeof start === "string") {
    skipped += engine.lanes.length;
    console.log(`skipped  ${engine.name}: ${start}`);
    continue;
  }
  for (const lane of engine.lanes) {
    const got = ask(start, program, lane);
    if (got === bits) passed++;
    else failed++;
    console.log(`${got === bits ? "same    " : "DIFFERS "} ${engine.name} ${lane}${got === bits ? "" : `: ${got}`}`);
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
