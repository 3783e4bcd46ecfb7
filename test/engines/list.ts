// The engines of `npm run test:engines`, and what each is asked. Nodes, Bun and Deno come from npm into a folder of their own on first use; foreign processors run under Debian's
// qemu-user and libc6-*-cross; browsers are the machine's.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type EnginePackage, fetchEngine, type NodeMajor, nodePackage, nodeVersions } from "../../tools/engines.ts";
import type { Pages } from "../support/pages.ts";
import { noWebgpu } from "../support/swiftshader.ts";
import { type Answers, ask, type Heard } from "./lane.ts";
import type { Lane } from "./matrix.ts";
import { askPage, browsers } from "./page.ts";
import { onGpu, quick, shortForms } from "./presets.ts";

/** How an engine is asked. */
export interface Asking {
  /** The bundled program of lane.ts. */
  readonly program: string;
  readonly pages: Pages;
  readonly heard: Heard;
}

export interface Engine {
  readonly name: string;
  /** As a reader calls it; its version is what it says itself. */
  readonly title: string;
  readonly processor: string;
  /** Beside the version. */
  readonly note?: string;
  /** Presets by lane. */
  readonly asked: Readonly<Partial<Record<Lane, readonly string[]>>>;
  /** What it lacks here. Fetches what npm has. */
  missing(): string | undefined;
  ask(asking: Asking, lane: Lane, presets: readonly string[]): Promise<Answers>;
}

const all = Object.keys(shortForms);
const wasm = { "wasm/1": all, "wasm/2": all } as const;
const native = { reference: quick, ...wasm, "wasm/1/scalar": all, "gpujs:webasm": quick, "gpujs:cpu": quick } as const;
const emulated = { "wasm/1": quick, "wasm/1/scalar": quick, reference: quick } as const;

interface Process extends EnginePackage, Pick<Engine, "name" | "title" | "note" | "asked"> {
  readonly args?: readonly string[];
  readonly processor?: string;
  /** What emulates its processor, with the folder of that processor's libraries. */
  readonly emulator?: readonly [command: string, libraries: string];
}

/** An engine with files, in a process of its own. */
function inProcess({ args = [], processor = "x64", emulator, ...engine }: Process): Engine {
  const fetched = () => fetchEngine(engine);
  return {
    ...engine,
    processor: emulator ? `${processor} (qemu)` : processor,
    missing() {
      if (!emulator && process.arch !== processor) return `this machine is no ${processor}`;
      const found = fetched();
      if ("missing" in found) return found.missing;
      if (!emulator) return undefined;
      const [command, libraries] = emulator;
      if (spawnSync(command, ["--version"]).status === 0 && existsSync(libraries)) return undefined;
      return `no ${command} with ${libraries} here: npm run setup:system -- --engines installs them`;
    },
    ask({ program, heard }, lane, presets) {
      const found = fetched();
      if ("missing" in found) throw new Error(found.missing);
      const start = [found.path, ...args];
      return ask(emulator ? [emulator[0], "-L", emulator[1], ...start] : start, program, lane, presets, heard);
    },
  };
}

const node = (major: NodeMajor, changes: Partial<Process> = {}): Engine =>
  inProcess({
    ...{ name: `node-${major}`, title: "Node", ...nodePackage(nodeVersions[major], "x64"), asked: native },
    ...changes,
  });
const foreign = (processor: string, version: string, emulator: Process["emulator"]): Engine =>
  inProcess({
    ...{ name: `node-${processor}`, title: "Node", ...nodePackage(version, processor) },
    ...{ processor, emulator, asked: emulated },
  });
const arm64 = ["qemu-aarch64", "/usr/aarch64-linux-gnu"] as const;

/** A browser's page, isolated or not. */
function inPage(name: keyof typeof browsers, title: string, path: "/" | "/plain/", asked: Engine["asked"]): Engine {
  return {
    ...{ name: path === "/" ? name : `${name}-plain`, title, processor: process.arch, asked },
    note: path === "/" ? "isolated page" : "page that isn't isolated",
    missing: () => browsers[name].missing,
    ask: ({ pages, heard }, lane, presets) => askPage(browsers[name], pages, path, lane, presets, heard),
  };
}

/** Lanes of a GPU's driver in software. */
const software = { webgpu: onGpu.webgpu, "gpujs:webgpu": onGpu.gpujs } as const;
const onSwiftShader = "WebGPU on SwiftShader";

/** A Node with WebGPU: the one that the npm package was installed by. */
function nodeOnGpu(): Engine {
  const engine = node("20", { name: "node-20-swiftshader", note: onSwiftShader, asked: software });
  const missing = () => (noWebgpu ? "no SwiftShader here: npm run setup:system installs it" : engine.missing());
  return { ...engine, missing };
}

const alone = { "wasm/1": all } as const;
const oneThread = { reference: quick, ...alone, "gpujs:webasm": quick, "gpujs:cpu": quick } as const;
const isolated = { ...oneThread, "wasm/2": all } as const;

export const engines: readonly Engine[] = [
  node("20", { asked: { ...native, reference: all } }),
  node("22"),
  node("24", { asked: { ...native, "wasm/2/auto": all } }),
  node("26", { asked: { ...native, "wasm/2/auto": all } }),
  node("20", {
    ...{ name: "node-20-without-sse4", note: "without SSE4", args: ["--no-enable-sse4-1"] },
    asked: { reference: quick, "wasm/1": all },
  }),
  nodeOnGpu(),
  inProcess({
    ...{ name: "bun", title: "Bun", install: "@oven/bun-linux-x64@1.4.5", binary: "@oven/bun-linux-x64/bin/bun" },
    asked: native,
  }),
  inProcess({
    ...{ name: "deno", title: "Deno", install: "@deno/linux-x64-glibc@2.9.6" },
    ...{ binary: "@deno/linux-x64-glibc/deno", args: ["run", "-A", "--node-modules-dir=manual"], asked: native },
  }),
  inPage("chromium", "Chromium", "/", isolated),
  inPage("chromium", "Chromium", "/plain/", alone),
  {
    ...inPage("chromium-webgpu", "Chromium", "/", software),
    ...{ name: "chromium-swiftshader", note: `isolated page, ${onSwiftShader}` },
  },
  inPage("firefox", "Firefox", "/", isolated),
  inPage("firefox", "Firefox", "/plain/", alone),
  inPage("webkitgtk", "WebKitGTK", "/", oneThread),
  inPage("webkitgtk", "WebKitGTK", "/plain/", alone),
  foreign("arm64", "20.20.2", arm64),
  inProcess({
    ...{ name: "bun-arm64", title: "Bun", install: "@oven/bun-linux-aarch64@1.4.5" },
    ...{ binary: "@oven/bun-linux-aarch64/bin/bun", processor: "arm64", emulator: arm64, asked: emulated },
  }),
  foreign("ppc64le", "20.11.0", ["qemu-ppc64le", "/usr/powerpc64le-linux-gnu"]),
  foreign("armv7l", "20.11.0", ["qemu-arm", "/usr/arm-linux-gnueabihf"]),
  foreign("s390x", "20.11.0", ["qemu-s390x", "/usr/s390x-linux-gnu"]),
];
