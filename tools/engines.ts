// JavaScript engines from npm, in a cache folder of the user's: tests and the bench run on them when they are there, and nobody downloads
// them with the devDependencies. `tsx tools/engines.ts 24 26` fetches these Node versions; .ci/setup-system does.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where each engine has a folder of its own. */
export const engineFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "seedgrad", "engines");

/** The Node of each major version that the project is tested on. */
export const nodeVersions = { "20": "20.20.2", "22": "22.23.3", "24": "24.22.3", "26": "26.12.1" } as const;
export type NodeMajor = keyof typeof nodeVersions;

export const isNodeMajor = (text: string): text is NodeMajor => Object.hasOwn(nodeVersions, text);

/** An npm package at a version, and the program in it. */
export interface EnginePackage {
  readonly install: string;
  readonly binary: string;
}

/** npm's package of a Node for this machine, or for another processor that runs Linux. */
export function nodePackage(version: string, processor?: string): EnginePackage {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = processor ? `node-linux-${processor}` : `node-${platform}-${process.arch}`;
  const program = !processor && platform === "win" ? "bin/node.exe" : "bin/node";
  return { install: `${name}@${version}`, binary: `${name}/${program}` };
}

const homeOf = (install: string) => join(engineFolder, install.replaceAll(/[@/]/g, "_"));

/** The engine's program, or undefined where it hasn't been fetched. */
export function enginePath({ install, binary }: EnginePackage): string | undefined {
  const path = join(homeOf(install), "node_modules", binary);
  return existsSync(path) ? path : undefined;
}

/** Fetches an engine unless it is there: its program, or why there is none. */
export function fetchEngine(engine: EnginePackage): { readonly path: string } | { readonly missing: string } {
  const { install } = engine;
  const known = enginePath(engine);
  if (known) return { path: known };
  const home = homeOf(install);
  mkdirSync(home, { recursive: true });
  const flags = ["--force", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", home];
  const { error, stderr } = spawnSync("npm", ["install", ...flags, install], { encoding: "utf8" });
  const path = enginePath(engine);
  if (path) return { path };
  return { missing: `npm gave no ${install}: ${error?.message ?? stderr.trim().split("\n").at(-1)}` };
}

/** Why tests on a Node are skipped, or its program. */
export function cachedNode(major: NodeMajor): { readonly path: string } | { readonly missing: string } {
  const path = enginePath(nodePackage(nodeVersions[major]));
  return path ? { path } : { missing: `no Node ${major} in ${engineFolder}: npm run setup:system fetches it` };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const major of process.argv.slice(2)) {
    const found = isNodeMajor(major)
      ? fetchEngine(nodePackage(nodeVersions[major]))
      : { missing: `no version of Node ${major} is named in tools/engines.ts` };
    if ("missing" in found) {
      console.error(`engines: ${found.missing}`);
      process.exitCode = 1;
    } else console.log(`Node ${major}: ${found.path}`);
  }
}
